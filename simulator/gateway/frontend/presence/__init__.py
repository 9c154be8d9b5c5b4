"""The presence agent of the users: SUBSCRIBE, NOTIFY, PUBLISH and SERVICE, with the home behind them (RFC 8048)."""
