# vxlan/vxlan_neigh.c: an option may be longer than its message
s/bytes == 0 || bytes > n)/bytes == 0)/
