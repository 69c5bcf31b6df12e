# control/json_body.c: brackets count in strings only
s/else if (is_string)/else if (!is_string)/
