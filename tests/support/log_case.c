#include "support/log_case.h"

#include <stdio.h>
#include <string.h>

#include "entry/chain.h"
#include "support/expect.h"

enum { ENTRY_LEN = 700 };

const char *const case_words[] = { "debtor-zhang", "9b1deb4d-3b7d-4bad-9bdd",
	"cash/amount", "officer-4711", "correct horse", "seizure@1", NULL };

void
case_init(struct log_case *c)
{
	*c = (struct log_case){ .disk = fault_disk_new() };
	c->config = (struct log_config){ .path = CASE_PATH,
		.vfs = fault_disk_name(c->disk),
		.port = port_system(),
		.kdf = { .mem_kib = 8, .passes = 1, .weak_for_tests = true },
		.no_reserve = true };
	memset(c->court, 7, sizeof(c->court));
}

void
case_free(struct log_case *c)
{
	case_close(c);
	fault_disk_free(c->disk);
}

void
case_on(struct log_case *out, const struct log_case *c, struct fault_disk *disk)
{
	*out = *c;
	out->l = NULL;
	out->disk = disk;
	out->config.vfs = fault_disk_name(disk);
}

enum status
case_create(struct log_case *c)
{
	enum status st = log_create(&c->l, &c->config, bytes_str(CASE_OFFICER),
	    bytes_str(CASE_PASSPHRASE));

	return st == ST_OK ? log_chain_new(c->l, c->court) : st;
}

enum status
case_open(struct log_case *c)
{
	return log_open(&c->l, &c->config);
}

enum status
case_unlock(struct log_case *c)
{
	return log_unlock(
	    c->l, bytes_str(CASE_OFFICER), bytes_str(CASE_PASSPHRASE));
}

void
case_close(struct log_case *c)
{
	log_close(c->l);
	c->l = NULL;
}

void
case_again(struct log_case *c)
{
	case_close(c);
	EXPECT_OK(case_open(c));
	EXPECT_OK(case_unlock(c));
}

struct bytes
case_entry(struct buf *out, uint64_t n, size_t len)
{
	buf_reset(out);
	buf_printf(out,
	    "{\"v\":1,\"kind\":\"seizure@1\",\"rec\":\"9b1deb4d-3b7d-4bad-9bdd"
	    "-2b0d7b3dcb6d\",\"on\":[\"cash/amount\"],\"by\":\"officer-4711\","
	    "\"n\":%llu}\n{\"data\":[\"debtor-zhang",
	    (unsigned long long)n);
	while (out->len + 3 < len)
		buf_u8(out, (uint8_t)('a' + (out->len * 7 + n) % 26));
	buf_str(out, "\"]}");
	EXPECT(out->err == ST_OK);
	return buf_view(out);
}

enum status
case_append(struct log_case *c, uint64_t n)
{
	uint8_t link[HASH_LEN];
	enum status st;
	struct buf b;

	buf_init(&b, ENTRY_BYTES_MAX);
	st = log_append(c->l, n, case_entry(&b, n, ENTRY_LEN), link);
	buf_free(&b);
	return st;
}

void
case_fill(struct log_case *c, uint64_t count)
{
	struct log_head h;

	EXPECT_OK(log_head(c->l, &h));
	for (uint64_t n = h.seq + 1; n <= count; n++)
		EXPECT_OK(case_append(c, n));
}

static enum status
see(void *arg, const struct log_entry *e)
{
	struct case_seen *s = arg;
	enum status st = ST_OK;
	struct buf b;

	if (!e->own) {
		s->others++;
		return ST_OK;
	}
	s->damaged += e->e.damage != 0;
	s->head += e->e.is == CHAINFILE_HEAD;
	s->purged += e->e.is == CHAINFILE_PURGED;
	s->hole += e->e.is == CHAINFILE_HOLE;
	if (e->e.is == CHAINFILE_LOST) {
		s->lost++;
		if (s->first_lost == 0)
			s->first_lost = e->e.seq;
	}
	if (e->e.is != CHAINFILE_WHOLE)
		return ST_OK;
	buf_init(&b, ENTRY_BYTES_MAX);
	s->whole++;
	if (!bytes_eq(e->e.raw, case_entry(&b, e->e.seq, e->e.raw.len)))
		s->wrong++;
	buf_free(&b);
	return st;
}

enum status
case_replay(struct log_case *c, struct case_seen *out)
{
	*out = (struct case_seen){ .whole = 0 };
	return log_replay(c->l, see, out, &out->found);
}
