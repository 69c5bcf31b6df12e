# dataplane/decap.c: padding behind the inner frame counts as its own
s/bytes = bytes < left ? bytes : left;/;/
