#include "support/vectors.h"

#include <stdio.h>

#include "base/enc.h"
#include "base/limits.h"
#include "base/port.h"
#include "support/expect.h"

void
vectors_open(struct vectors *v, const char *name)
{
	char path[512];
	int n = snprintf(path, sizeof(path), "%s/%s", TEST_VECTORS_DIR, name);

	EXPECT(n > 0 && (size_t)n < sizeof(path));
	vectors_open_path(v, path);
}

void
vectors_open_path(struct vectors *v, const char *path)
{
	buf_init(&v->text, JSON_BYTES_MAX);
	buf_init(&v->scratch, DOC_BYTES_MAX);
	json_init(&v->j);
	EXPECT_OK(port_read_file(port_system(), path, &v->text));
	if (json_parse(&v->j, buf_view(&v->text), JSON_DOCUMENT) != ST_OK)
		fail_msg("%s: %s at %u", path, v->j.why, v->j.where);
}

void
vectors_close(struct vectors *v)
{
	json_free(&v->j);
	buf_free(&v->text);
	buf_free(&v->scratch);
}

uint32_t
vectors_get(const struct vectors *v, uint32_t n, const char *name)
{
	uint32_t m = json_get(&v->j, n, name);

	if (m == 0)
		fail_msg("no member %s", name);
	return m;
}

struct bytes
vectors_str(struct vectors *v, uint32_t n, const char *name)
{
	uint32_t m = vectors_get(v, n, name);

	EXPECT(v->j.node[m].type == JSON_STRING);
	buf_reset(&v->scratch);
	return json_view(&v->j, m, &v->scratch);
}

void
vectors_node_hex(const struct vectors *v, uint32_t n, struct buf *out)
{
	struct bytes hex = json_raw(&v->j, n);
	uint8_t *p;

	EXPECT(v->j.node[n].type == JSON_STRING && hex.len % 2 == 0);
	buf_reset(out);
	p = buf_extend(out, hex.len / 2);
	EXPECT(p != NULL);
	EXPECT_OK(hex_decode(p, hex.len / 2, hex));
}

void
vectors_hex(struct vectors *v, uint32_t n, const char *name, struct buf *out)
{
	vectors_node_hex(v, vectors_get(v, n, name), out);
}
