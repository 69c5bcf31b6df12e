# dataplane/guard_parse.c: one byte more than there is
s/cursor->at) < n)/cursor->at) + 1 < n)/
