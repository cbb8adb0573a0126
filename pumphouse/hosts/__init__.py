"""The machines below the clouds: the inventory of hosts, how they are switched, how they get their new system."""
