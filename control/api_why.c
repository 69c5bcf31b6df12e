/* SPDX-License-Identifier: BSD-3-Clause */
/* The handler that says why one machine does not reach another. Runs on weftd's thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/why.h"

#define WORD_CHARS_MAX 120

static int read_size(const char *word, unsigned int *ip_bytes, struct problem *problem)
{
	char *end = NULL;
	unsigned long bytes = word != NULL ? strtoul(word, &end, 10) : 0;

	*ip_bytes = (unsigned int)bytes;
	if (word == NULL || (word[0] >= '0' && word[0] <= '9' && *end == '\0' &&
			     bytes >= MODEL_MTU_MIN && bytes <= MODEL_MTU_MAX))
		return 0;
	return problem_set(problem, -EINVAL, 422, "value-invalid",
			   "size: %.40s: say the bytes of an IP packet, %d to %d", word,
			   MODEL_MTU_MIN, MODEL_MTU_MAX);
}

static int read_word(const struct http_request *request, const char *key, const char **word,
		     struct problem *problem)
{
	*word = http_query(request, key);
	if (*word != NULL && (*word)[0] != '\0' && strlen(*word) <= WORD_CHARS_MAX)
		return 0;
	return problem_set(problem, -EINVAL, 422, "value-invalid",
			   "%s: say who: a port, a VM, a MAC or an IP address, or one of the last "
			   "with @PORT; at most %d characters",
			   key, WORD_CHARS_MAX);
}

int api_why(void *ctx, const struct http_request *request, struct http_reply *reply,
	    struct problem *problem)
{
	struct control *control = ctx;
	const char *from = NULL, *to = NULL;
	unsigned int ip_bytes = 0;
	int error = read_word(request, "from", &from, problem);

	if (error == 0)
		error = read_word(request, "to", &to, problem);
	if (error == 0)
		error = read_size(http_query(request, "size"), &ip_bytes, problem);
	if (error < 0)
		return error;
	return api_reply(control, why_ask(control, from, to, ip_bytes), reply, problem);
}
