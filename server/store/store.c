#include "server/store/store.h"

#include "server/store/store_ops.h"

void
store_close(struct store *s)
{
	if (s != NULL)
		s->ops->close(s);
}

const char *
store_errmsg(const struct store *s)
{
	return s->ops->errmsg(s);
}

void
store_rollback(struct store *s)
{
	s->ops->rollback(s);
}

struct store_reader *
store_inside(struct store *s)
{
	return s->ops->inside(s);
}

void
store_reader_close(struct store_reader *r)
{
	if (r != NULL)
		r->ops->reader_close(r);
}

enum status
store_hold(struct store_reader *r)
{
	return r->ops->hold(r);
}

void
store_release(struct store_reader *r)
{
	r->ops->release(r);
}

enum status
store_scan_next(struct store_scan *sc, struct store_entry *out)
{
	return sc->ops->scan_next(sc, out);
}

void
store_scan_close(struct store_scan *sc)
{
	if (sc != NULL)
		sc->ops->scan_close(sc);
}

enum status
store_begin(struct store *s, struct store_head *head)
{
	return s->ops->begin(s, head);
}

enum status
store_commit(struct store *s)
{
	return s->ops->commit(s);
}

enum status
store_put_entry(struct store *s, const struct store_entry *e, const char *why)
{
	return s->ops->put_entry(s, e, why);
}

enum status
store_put_chain(struct store *s, const struct store_chain *c)
{
	return s->ops->put_chain(s, c);
}

enum status
store_put_commit(struct store *s, const struct store_commit *c)
{
	return s->ops->put_commit(s, c);
}

enum status
store_put_piece(struct store *s, uint64_t place, uint64_t index,
    const uint8_t line[PIECE_LINE_LEN])
{
	return s->ops->put_piece(s, place, index, line);
}

enum status
store_put_tile(struct store *s, unsigned level, uint64_t index,
    const uint8_t (*hash)[HASH_LEN])
{
	return s->ops->put_tile(s, level, index, hash);
}

enum status
store_put_head(struct store *s, const struct frontier *f)
{
	return s->ops->put_head(s, f);
}

enum status
store_fill(struct store *s, uint64_t place, uint32_t flags, struct bytes bytes,
    const char *why)
{
	return s->ops->fill(s, place, flags, bytes, why);
}

enum status
store_erase(struct store *s, uint64_t place)
{
	return s->ops->erase(s, place);
}

enum status
store_tidy(struct store *s)
{
	return s->ops->tidy(s);
}

enum status
store_put_meta(struct store *s, const char *name, struct bytes value)
{
	return s->ops->put_meta(s, name, value);
}

enum status
store_put_alarm(struct store *s, const struct store_alarm *a)
{
	return s->ops->put_alarm(s, a);
}

enum status
store_put_attempt(struct store *s, const struct store_attempt *a)
{
	return s->ops->put_attempt(s, a);
}

enum status
store_put_doc(struct store *s, const struct store_doc *d)
{
	return s->ops->put_doc(s, d);
}

enum status
store_remove_doc(struct store *s, const char *sort, struct bytes key)
{
	return s->ops->remove_doc(s, sort, key);
}

enum status
store_reader_open(struct store_reader **out, struct store *s)
{
	return s->ops->reader_open(out, s);
}

enum status
store_head(struct store_reader *r, struct store_head *out)
{
	return r->ops->head(r, out);
}

enum status
store_frontier(struct store_reader *r, struct frontier *out)
{
	return r->ops->frontier(r, out);
}

enum status
store_entry(struct store_reader *r, uint64_t place, struct store_entry *out)
{
	return r->ops->entry(r, place, out);
}

enum status
store_entry_alone(
    struct store_reader *r, uint64_t place, struct store_entry *out)
{
	return r->ops->entry_alone(r, place, out);
}

enum status
store_entry_head(
    struct store_reader *r, uint64_t place, struct store_entry *out)
{
	return r->ops->entry_head(r, place, out);
}

enum status
store_find(struct store_reader *r, uint64_t chain, uint64_t seq,
    uint32_t branch, struct store_entry *out)
{
	return r->ops->find(r, chain, seq, branch, out);
}

enum status
store_find_next(struct store_reader *r, uint64_t chain, uint64_t seq,
    uint32_t branch, struct store_entry *out)
{
	return r->ops->find_next(r, chain, seq, branch, out);
}

enum status
store_why(struct store_reader *r, uint64_t place, struct buf *out)
{
	return r->ops->why(r, place, out);
}

enum status
store_scan_open(
    struct store_scan **out, struct store_reader *r, uint64_t from, uint64_t to)
{
	return r->ops->scan_open(out, r, from, to);
}

enum status
store_links(struct store_reader *r, uint64_t from, size_t count,
    uint8_t (*out)[HASH_LEN])
{
	return r->ops->links(r, from, count, out);
}

enum status
store_chains(struct store_reader *r, store_chain_fn fn, void *arg)
{
	return r->ops->chains(r, fn, arg);
}

enum status
store_commit_of(
    struct store_reader *r, uint64_t place, struct store_commit *out)
{
	return r->ops->commit_of(r, place, out);
}

enum status
store_commit_later(struct store_reader *r, uint64_t place, uint64_t wall,
    struct store_commit *out)
{
	return r->ops->commit_later(r, place, wall, out);
}

enum status
store_pieces(struct store_reader *r, uint64_t place, struct buf *out)
{
	return r->ops->pieces(r, place, out);
}

enum status
store_tile(
    struct store_reader *r, unsigned level, uint64_t index, struct buf *out)
{
	return r->ops->tile(r, level, index, out);
}

enum status
store_meta(struct store_reader *r, const char *name, struct buf *out)
{
	return r->ops->meta(r, name, out);
}

enum status
store_next_fill(struct store_reader *r, uint64_t *no, uint64_t *place)
{
	return r->ops->next_fill(r, no, place);
}

enum status
store_alarms(
    struct store_reader *r, uint64_t after, store_alarm_fn fn, void *arg)
{
	return r->ops->alarms(r, after, fn, arg);
}

enum status
store_attempts(
    struct store_reader *r, size_t limit, store_attempt_fn fn, void *arg)
{
	return r->ops->attempts(r, limit, fn, arg);
}

enum status
store_doc(struct store_reader *r, const char *sort, struct bytes key,
    store_doc_fn fn, void *arg)
{
	return r->ops->doc(r, sort, key, fn, arg);
}

enum status
store_docs(struct store_reader *r, const char *sort, store_doc_fn fn, void *arg)
{
	return r->ops->docs(r, sort, fn, arg);
}

enum status
store_check(struct store_reader *r, struct buf *why)
{
	return r->ops->check(r, why);
}

enum status
store_backup(struct store_reader *r, const char *path)
{
	return r->ops->backup(r, path);
}
