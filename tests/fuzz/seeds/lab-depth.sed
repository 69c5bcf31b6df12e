# control/lab_yaml.c: nesting without an end
s/reader->depth == LAB_DEPTH_MAX/false/
