# dataplane/forward.c: a tag in the payload leaves a trunk as the first one
s/(vlan == 0 || !takes_tags)/!takes_tags/
