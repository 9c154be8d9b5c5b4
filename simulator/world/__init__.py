"""DNS, CA, partners, users and the system, brought up together and surely torn down."""
