"""The Lync Server Management Shell: cmdlets that read and change the gateway's configuration, and try it out."""
