/*
 * routes: which row a request gets, what is decoded from its path, and that
 * no path reaches a row that is not meant for it.
 */
#include "support/expect.h"

#include <string.h>

#include "server/net/routes.h"

static void
handler(struct request *rq, void *arg)
{
	(void)rq;
	(void)arg;
}

enum { L_DEVICE = 1, L_CONSOLE = 2 };

static const struct route table[] = {
	{ .method = "POST",
	    .pattern = "/v1/sync",
	    .listeners = L_DEVICE,
	    .peers = PEER_DEVICE | PEER_DELIVER,
	    .handler = handler },
	{ .method = "GET",
	    .pattern = "/v1/orders",
	    .listeners = L_DEVICE,
	    .peers = PEER_DEVICE,
	    .handler = handler },
	{ .method = "GET",
	    .pattern = "/api/records/{rec}/state",
	    .listeners = L_CONSOLE,
	    .handler = handler },
	{ .method = "GET",
	    .pattern = "/api/records/{rec}",
	    .listeners = L_CONSOLE,
	    .handler = handler },
	{ .method = "DELETE",
	    .pattern = "/api/records/{rec}",
	    .listeners = L_CONSOLE,
	    .handler = handler },
	{ .method = "GET",
	    .pattern = "/tile/*",
	    .listeners = L_DEVICE | L_CONSOLE,
	    .handler = handler },
	{ .method = "GET",
	    .pattern = "/",
	    .listeners = L_CONSOLE,
	    .handler = handler },
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

/* The row's number and its params joined by '|', or the status. */
static void
finds(const char *method, const char *path, unsigned listener,
    enum peer_role role, const char *want)
{
	struct route_match m;
	struct buf params, got;
	enum status st;

	buf_init(&params, 4096);
	buf_init(&got, 4096);
	st = routes_find(
	    &m, &params, table, ROWS, method, bytes_str(path), listener, role);
	if (st != ST_OK) {
		buf_str(&got, status_name(st));
	} else if (m.route == NULL) {
		buf_printf(&got, "%u", m.status);
		if (m.status == 405)
			buf_printf(&got, " %s", m.allow);
	} else {
		EXPECT(m.status == 200);
		buf_printf(&got, "#%d", (int)(m.route - table));
		for (size_t i = 0; i < m.param_count; i++) {
			buf_u8(&got, '|');
			buf_bytes(&got, m.param[i]);
		}
	}
	EXPECT_BYTES(buf_view(&got), bytes_str(want));
	buf_free(&params);
	buf_free(&got);
}

/* Would catch a request given to another row than its own. */
static void
test_each_request_gets_its_row(void **state)
{
	(void)state;
	finds("POST", "/v1/sync", 0, PEER_DEVICE, "#0");
	finds("GET", "/api/records/ab-1/state", 1, PEER_NONE, "#2|ab-1");
	finds("GET", "/api/records/ab-1", 1, PEER_NONE, "#3|ab-1");
	finds("HEAD", "/api/records/ab-1", 1, PEER_NONE, "#3|ab-1");
	finds("DELETE", "/api/records/x%20y", 1, PEER_NONE, "#4|x y");
	finds("GET", "/tile/0/x001/067", 0, PEER_DEVICE, "#5|0/x001/067");
	finds("GET", "/tile/8/0/001.p/5", 1, PEER_NONE, "#5|8/0/001.p/5");
	finds("GET", "/", 1, PEER_NONE, "#6");
}

/* Would catch a row reached from a listener or by a peer it is not for. */
static void
test_rows_are_held_to_their_listener_and_peers(void **state)
{
	(void)state;
	finds("POST", "/v1/sync", 1, PEER_NONE, "404");
	finds("GET", "/api/records/a", 0, PEER_DEVICE, "404");
	finds("POST", "/v1/sync", 0, PEER_DELIVER, "#0");
	finds("GET", "/v1/orders", 0, PEER_DELIVER, "403");
	finds("GET", "/v1/orders", 0, PEER_NONE, "403");
	finds("GET", "/v1/orders", 0, PEER_DEVICE, "#1");
}

/* Would catch a way round a row's name, or out of a folder. */
static void
test_odd_paths_match_nothing(void **state)
{
	static const char *const odd[] = { "", "*", "//", "/v1", "/v1/",
		"/v1/sync/", "/v1//sync", "//v1/sync", "/V1/sync", "/v1/syn%63",
		"/api/records/", "/api/records//state", "/api/records/..",
		"/api/records/%2e%2e", "/api/records/.", "/api/records/a%2fb",
		"/tile", "/tile/", "/tile//", "/tile/a//b", "/tile/../secret",
		"/tile/a/%2e%2E/b", "/tile/a/", "/tile/a%2fb", "/v1/sync/x" };

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		for (unsigned l = 0; l < 2; l++)
			finds("GET", odd[i], l, PEER_DEVICE, "404");
	finds("GET", "/api/records/%zz", 1, PEER_NONE, "INVALID");
	finds("GET", "/api/records/a%00", 1, PEER_NONE, "INVALID");
	finds("GET", "/tile/a/%", 1, PEER_NONE, "INVALID");
}

/* Would catch a wrong method answered as an absent page, or without a list. */
static void
test_wrong_method_says_which_there_are(void **state)
{
	(void)state;
	finds("GET", "/v1/sync", 0, PEER_DEVICE, "405 POST");
	finds("PUT", "/api/records/a", 1, PEER_NONE, "405 GET, HEAD, DELETE");
	finds("FROB", "/", 1, PEER_NONE, "405 GET, HEAD");
}

/* Would catch a table that is wrong and is served all the same. */
static void
test_wrong_tables_are_found_at_start(void **state)
{
	static const struct route bad[] = {
		{ .method = "FETCH",
		    .pattern = "/",
		    .listeners = 1,
		    .handler = handler },
		{ .method = "GET",
		    .pattern = "x",
		    .listeners = 1,
		    .handler = handler },
		{ .method = "GET",
		    .pattern = "/*/x",
		    .listeners = 1,
		    .handler = handler },
		{ .method = "GET",
		    .pattern = "/a{b}",
		    .listeners = 1,
		    .handler = handler },
		{ .method = "GET",
		    .pattern = "/{a}/{b}/{c}/{d}/{e}",
		    .listeners = 1,
		    .handler = handler },
		{ .method = "GET", .pattern = "/", .listeners = 1 },
		{ .method = "GET", .pattern = "/", .handler = handler },
	};

	(void)state;
	EXPECT(routes_valid(table, ROWS));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!routes_valid(&bad[i], 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_request_gets_its_row),
		cmocka_unit_test(
		    test_rows_are_held_to_their_listener_and_peers),
		cmocka_unit_test(test_odd_paths_match_nothing),
		cmocka_unit_test(test_wrong_method_says_which_there_are),
		cmocka_unit_test(test_wrong_tables_are_found_at_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
