/*
 * The server's option file: what is taken is within the bounds of the table;
 * what is refused is refused in words.  An address has a host and a port.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "server/app/config.h"

struct given {
	struct bytes file;
};

static enum status
give(void *arg, const char *path, struct buf *out)
{
	const struct given *g = arg;

	(void)path;
	buf_bytes(out, g->file);
	return out->err;
}

static void
check_address(const char *text)
{
	char host[CONFIG_TEXT_MAX + 1];
	uint16_t port;

	if (config_address(text, host, &port) == ST_OK)
		CHECK(memchr(host, '\0', sizeof(host)) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct given given = { { data, size } };
	struct port port = *port_system();
	struct config c;
	char why[CONFIG_WORDS_MAX] = "", text[CONFIG_TEXT_MAX + 1];
	enum status st;

	port.arg = &given;
	port.read_file = give;
	st = config_load(&c, &port, "x", why);
	CHECK(st != ST_OK || why[0] == '\0');
	CHECK(st == ST_OK || why[0] != '\0');
	CHECK(memchr(why, '\0', sizeof(why)) != NULL);
	if (st == ST_OK) {
		for (const struct config_option *o = config_options; o->name;
		     o++) {
			int64_t v;

			memcpy(&v, (const char *)&c + o->at,
			    o->number ? sizeof(v) : 0);
			CHECK(!o->number || (v >= o->min && v <= o->max));
		}
		check_address(c.listen);
	}
	if (size < sizeof(text)) {
		memcpy(text, data, size);
		text[size] = '\0';
		check_address(text);
		st = config_flag(&c, "threads", text, why);
		CHECK(st == ST_OK || st == ST_INVALID);
	}
	return 0;
}
