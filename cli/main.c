/* SPDX-License-Identifier: BSD-3-Clause */
/* weft, the command line: hands its words to cmd.c and makes sure that the output arrived. */
#include <stdio.h>

#include "cli/call.h"
#include "cli/cmd.h"

int main(int argc, char **argv)
{
	int code = cmd_run(argc, argv, stdin, stdout, stderr);

	if (fflush(stdout) || ferror(stdout)) {
		perror("weft: writing the output");
		return CALL_REFUSED;
	}
	return code;
}
