# vxlan/vxlan_decap.c: a datagram may be longer than its packet
s/ || n_datagram > n_payload//
