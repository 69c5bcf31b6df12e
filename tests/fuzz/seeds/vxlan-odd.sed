# vxlan/vxlan_mss.c: an option at an odd place is summed as at an even one
s/at % 2 != 0)/false)/
