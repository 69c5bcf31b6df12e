/* SPDX-License-Identifier: BSD-3-Clause */
/* libcurl set up for one request over a Unix socket, and its errors in our words. */
#include "cli/client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define CONNECT_TIMEOUT_MS 5000L
#define ANSWER_TIMEOUT_MS 30000L
#define SILENCE_MAX_S 15L /* of a stream that says every 5 s that it is alive */
#define ANSWER_BYTES_MAX (256u << 20)

struct transfer {
	const struct client_request *request;
	CURL *curl;
	struct client_answer *answer;
	size_t room_bytes;
	int err;
};

/* libcurl calls this with each piece of the body; another count than `bytes` stops the transfer. */
static size_t take_body(char *data, size_t one, size_t bytes, void *ctx)
{
	struct transfer *transfer = ctx;
	struct client_answer *answer = transfer->answer;
	long status = 0;

	curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
	if (transfer->request->take && status < 300) {
		transfer->err = transfer->request->take(transfer->request->take_ctx, data, bytes);
		return transfer->err ? 0 : bytes;
	}
	if (bytes > ANSWER_BYTES_MAX - answer->body_bytes) {
		transfer->err = -EPROTO;
		return 0;
	}
	if (answer->body_bytes + bytes + 1 > transfer->room_bytes) {
		size_t room_bytes = 2 * (answer->body_bytes + bytes) + 4096;
		char *body = realloc(answer->body, room_bytes);

		if (!body) {
			transfer->err = -ENOMEM;
			return 0;
		}
		answer->body = body;
		transfer->room_bytes = room_bytes;
	}
	memcpy(answer->body + answer->body_bytes, data, bytes);
	answer->body_bytes += bytes;
	answer->body[answer->body_bytes] = '\0';
	return bytes;
}

static size_t take_header(char *line, size_t one, size_t bytes, void *ctx)
{
	static const char name[] = "ETag:";
	struct transfer *transfer = ctx;
	const char *value = line + sizeof(name) - 1, *end = line + bytes;

	if (bytes < sizeof(name) || strncasecmp(line, name, sizeof(name) - 1) != 0)
		return bytes;
	while (value < end && isspace((unsigned char)*value))
		value++;
	while (end > value && isspace((unsigned char)end[-1]))
		end--;
	if ((size_t)(end - value) < sizeof(transfer->answer->etag))
		snprintf(transfer->answer->etag, sizeof(transfer->answer->etag), "%.*s",
			 (int)(end - value), value);
	return bytes;
}

static struct curl_slist *add_header(struct curl_slist *headers, const char *name,
				     const char *value)
{
	char line[256];

	snprintf(line, sizeof(line), "%s: %s", name, value);
	return curl_slist_append(headers, line);
}

static struct curl_slist *request_headers(const struct client_request *request)
{
	static const char json[] = "application/json";
	struct curl_slist *headers;

	headers = add_header(NULL, "Accept", request->accept ? request->accept : json);
	/* No round trip to ask whether the body is welcome. */
	headers = add_header(headers, "Expect", "");
	if (request->body)
		headers = add_header(headers, "Content-Type",
				     request->content_type ? request->content_type : json);
	if (request->if_match && *request->if_match)
		headers = add_header(headers, "If-Match", request->if_match);
	return headers;
}

static long timeout_ms(const struct client_request *request)
{
	return request->timeout_ms ? request->timeout_ms : ANSWER_TIMEOUT_MS;
}

static void set_request(CURL *curl, const struct client_request *request, const char *url,
			const char *socket_path, struct curl_slist *headers,
			struct transfer *transfer)
{
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); /* whatever http_proxy says */
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	if (request->take) {
		curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SILENCE_MAX_S);
	} else {
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms(request));
	}
	if (request->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)request->body_bytes);
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
}

static int explain_silence(const char *socket_path, char *why, size_t why_bytes)
{
	snprintf(why, why_bytes,
		 "weftd does not answer at %s, it hangs or has much to do; see its log. What was "
		 "asked for may still be done",
		 socket_path);
	return -ECONNREFUSED;
}

static int explain_connect(CURL *curl, const char *socket_path, char *why, size_t why_bytes)
{
	long os_errno = 0;

	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
	/* More wait to be accepted than the socket's queue holds. */
	if (os_errno == 0 || os_errno == EAGAIN)
		return explain_silence(socket_path, why, why_bytes);
	if (os_errno == ENOENT)
		snprintf(why, why_bytes,
			 "weftd does not run: there is no %s; start it, or name its "
			 "directory with --run-dir",
			 socket_path);
	else if (os_errno == EACCES || os_errno == EPERM)
		snprintf(why, why_bytes, "no permission for %s: use sudo or join its group",
			 socket_path);
	else
		snprintf(why, why_bytes, "weftd does not listen at %s (%s); start weftd",
			 socket_path, strerror((int)os_errno));
	return -ECONNREFUSED;
}

static int explain(CURL *curl, CURLcode code, const struct transfer *transfer,
		   const char *socket_path, char *why, size_t why_bytes)
{
	if (transfer->err == -EPROTO) {
		snprintf(why, why_bytes, "the answer is larger than %u MiB; ask for less",
			 ANSWER_BYTES_MAX >> 20);
		return -EPROTO;
	}
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_COULDNT_CONNECT:
		return explain_connect(curl, socket_path, why, why_bytes);
	case CURLE_OPERATION_TIMEDOUT:
		return explain_silence(socket_path, why, why_bytes);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		snprintf(why, why_bytes,
			 "weftd closed the connection before its answer was "
			 "complete (%s); see its log",
			 curl_easy_strerror(code));
		return -ECONNREFUSED;
	case CURLE_OUT_OF_MEMORY:
		snprintf(why, why_bytes, "out of memory");
		return -ENOMEM;
	default:
		snprintf(why, why_bytes, "what answers at %s is not weftd (%s)", socket_path,
			 curl_easy_strerror(code));
		return -EPROTO;
	}
}

int client_run(const char *run_dir, const struct client_request *request,
	       struct client_answer *answer, char *why, size_t why_bytes)
{
	char url[CLIENT_PATH_BYTES + 16], socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct transfer transfer = {.request = request, .answer = answer};
	struct curl_slist *headers;
	CURLcode code;
	CURL *curl;
	int n, err;

	*answer = (struct client_answer){0};
	n = snprintf(socket_path, sizeof(socket_path), "%s/weftd.sock", run_dir);
	if (n < 0 || (size_t)n >= sizeof(socket_path)) {
		snprintf(why, why_bytes,
			 "run directory %s: too long for a socket in it (%zu bytes "
			 "at most); use a shorter path",
			 run_dir, sizeof(socket_path) - sizeof("/weftd.sock"));
		return -ECONNREFUSED;
	}
	snprintf(url, sizeof(url), "http://weft%s", request->path);
	curl = curl_easy_init();
	transfer.curl = curl;
	headers = request_headers(request);
	if (!curl || !headers) {
		snprintf(why, why_bytes, "out of memory");
		err = -ENOMEM;
		goto free_curl;
	}
	set_request(curl, request, url, socket_path, headers, &transfer);
	code = curl_easy_perform(curl);
	err = explain(curl, code, &transfer, socket_path, why, why_bytes);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	if (err)
		client_release(answer);
free_curl:
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return err;
}

void client_release(struct client_answer *answer)
{
	free(answer->body);
	*answer = (struct client_answer){0};
}

int client_path_add(char *path, const char *text)
{
	size_t used = strlen(path), bytes = strlen(text);

	if (bytes >= CLIENT_PATH_BYTES - used)
		return -ENAMETOOLONG;
	memcpy(path + used, text, bytes + 1);
	return 0;
}

int client_path_add_escaped(char *path, const char *text)
{
	size_t used = strlen(path);

	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (used + sizeof("%00") > CLIENT_PATH_BYTES)
			return -ENAMETOOLONG;
		if (isalnum(byte) || strchr("-._~", byte))
			path[used++] = (char)byte;
		else
			used += (size_t)sprintf(path + used, "%%%02X", byte);
		path[used] = '\0';
	}
	return 0;
}
