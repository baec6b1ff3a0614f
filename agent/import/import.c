#include "agent/import/import.h"

#include <stdlib.h>
#include <string.h>

#include "agent/import/map.h"
#include "agent/import/tally.h"
#include "base/enc.h"
#include "base/sha.h"

enum { KEY_HEX = 32, BATCH_ROWS = 64 };

struct job {
	struct agent *agent;
	const struct import_watch *watch;
	struct import_result *result;
	struct map map;
	struct csv csv;
	struct csv header;
	struct tally tally;
	const char *file;
	struct bytes *on; /* owned: paths of one entry */
	size_t on_count;
	struct buf paths, data, more;
	char at[40];
	bool has_at;
	struct import_result sure; /* as of the last batch that is durable */
	bool in_batch;             /* one is open: a failed end leaves none */
};

/* Hash of the map's name, a word, and the columns of a key (or the row). */
static enum status
key_digest(struct job *j, const char *word, const struct map_row_key *k,
    uint8_t out[HASH_LEN])
{
	struct buf b;

	buf_init(&b, 2 * CSV_ROW_BYTES_MAX);
	buf_sized(&b, bytes_str(j->map.name));
	buf_sized(&b, bytes_str(word));
	for (size_t i = 0; i < k->count; i++)
		buf_sized(&b, csv_field(&j->csv, k->column[i]));
	if (k->count == 0)
		buf_sized(&b, j->csv.raw);
	if (b.err == ST_OK)
		sha256(out, buf_view(&b));
	buf_free(&b);
	return b.err;
}

static enum status
row_key(struct job *j, char out[80])
{
	uint8_t digest[HASH_LEN];
	uint64_t before = 0;
	struct buf b;
	enum status st;

	st = key_digest(j, "row", &j->map.key, digest);
	if (st == ST_OK)
		st = tally_count(&j->tally, digest, &before);
	if (st != ST_OK)
		return st;
	buf_init(&b, 79);
	buf_hex(&b, bytes_of(digest, KEY_HEX / 2));
	if (before > 0)
		buf_printf(&b, "-%llu", (unsigned long long)before);
	if (buf_cstr(&b) != NULL)
		memcpy(out, b.p, b.len + 1);
	st = b.err;
	buf_free(&b);
	return st;
}

/* `more` of an entry: where it came from, the row kept as it stood. */
static void
put_source(struct job *j, const char *key, const char *suffix)
{
	struct buf *b = &j->more;

	buf_reset(b);
	buf_str(b, "{\"source\":{\"file\":");
	json_put_str(b, j->file);
	buf_printf(b, ",\"key\":\"%s%s\",\"line\":%llu", key, suffix,
	    (unsigned long long)j->csv.row_line);
	if (suffix[0] == '\0') {
		buf_str(b, ",\"row\":[");
		for (size_t i = 0; i < j->csv.count; i++) {
			if (i > 0)
				buf_u8(b, ',');
			json_put_string(b, csv_field(&j->csv, i));
		}
		buf_u8(b, ']');
	}
	buf_str(b, "}}");
}

/* Begin an entry's names and values. */
static void
begin_names(struct job *j)
{
	j->on_count = 0;
	buf_reset(&j->paths);
	buf_reset(&j->data);
	buf_u8(&j->data, '[');
}

/* The paths buffer grows: names are kept as offsets until they are used. */
static void
put_name(struct job *j, const char *prefix, const char *path)
{
	size_t from = j->paths.len;

	buf_str(&j->paths, prefix);
	buf_str(&j->paths, path);
	j->on[j->on_count++] =
	    (struct bytes){ (const uint8_t *)from, j->paths.len - from };
	if (j->on_count > 1)
		buf_u8(&j->data, ',');
}

static void
end_names(struct job *j)
{
	buf_u8(&j->data, ']');
	for (size_t i = 0; i < j->on_count; i++)
		j->on[i].p = j->paths.p + (uintptr_t)j->on[i].p;
}

/*
 * The fields that are written together: those whose `apart` is `word` (""
 * first).  `prefix` goes before each path.  ST_INVALID: a value was refused.
 */
static enum status
put_fields(struct job *j, const struct map_field *f, size_t count,
    const char *word, const char *prefix)
{
	for (size_t i = 0; i < count; i++) {
		struct buf value;
		enum status st;

		if (strcmp(f[i].field->apart, word) != 0)
			continue;
		buf_init(&value, ENTRY_BYTES_MAX);
		st = map_value(&j->map, &f[i], &j->csv, &value);
		if (st == ST_OK) {
			put_name(j, prefix, f[i].path);
			buf_bytes(&j->data, buf_view(&value));
		}
		buf_free(&value);
		if (st != ST_OK && st != ST_ABSENT)
			return st;
	}
	return ST_OK;
}

static enum status
append(struct job *j, struct agent_edit *edit, enum verb verb, const char *key,
    const char *suffix, uint8_t id[ID_LEN])
{
	struct agent_act act = { .kind = j->map.kind->name, .verb = verb };
	enum status st;

	put_source(j, key, suffix);
	end_names(j);
	if (j->data.err != ST_OK)
		return j->data.err;
	if (j->more.err != ST_OK)
		return j->more.err;
	if (j->paths.err != ST_OK)
		return j->paths.err;
	act.on = j->on;
	act.on_count = j->on_count;
	act.data = buf_view(&j->data);
	act.more = buf_view(&j->more);
	act.at = j->has_at ? j->at : NULL;
	st = agent_append(j->agent, edit, &act, id);
	if (st == ST_OK)
		j->result->entries++;
	return st;
}

/* Has an entry of this key been written, and in which record? */
static bool
was_written(
    struct job *j, const char *key, const char *suffix, char rec[REC_LEN + 1])
{
	char whole[160];
	struct buf b;
	bool is;

	buf_init(&b, sizeof(whole) - 1);
	buf_str(&b, key);
	buf_str(&b, suffix);
	is = b.err == ST_OK &&
	     agent_imported(j->agent, buf_view(&b), rec) == ST_OK;
	buf_free(&b);
	return is;
}

/*
 * The groups of fields that stand apart (a person's details), an entry each,
 * so that a copy may withhold them.  Each has a key of its own: a run that was
 * cut off between two of them goes on with the next.
 */
static enum status
append_apart(struct job *j, const char *rec, const struct map_field *f,
    size_t count, const char *key, const char *prefix)
{
	for (size_t i = 0; i < count; i++) {
		const char *word = f[i].field->apart;
		char suffix[64], had[REC_LEN + 1];
		struct agent_edit edit;
		uint8_t id[ID_LEN];
		enum status st;
		bool seen = word[0] == '\0';

		for (size_t k = 0; k < i && !seen; k++)
			seen = strcmp(f[k].field->apart, word) == 0;
		if (seen || strlen(word) > sizeof(suffix) - 2)
			continue;
		suffix[0] = '#';
		memcpy(suffix + 1, word, strlen(word) + 1);
		if (was_written(j, key, suffix, had))
			continue;
		begin_names(j);
		st = put_fields(j, f, count, word, prefix);
		if (st == ST_OK && j->on_count > 0)
			st = agent_edit_begin(j->agent, rec, &edit);
		if (st == ST_OK && j->on_count > 0)
			st = append(j, &edit, DO_SET, key, suffix, id);
		if (st != ST_OK)
			return st;
	}
	return ST_OK;
}

/* Are all values of this row fit?  Nothing is written before this is known. */
static enum status
check_row(struct job *j)
{
	const struct map_field *sets[] = { j->map.field, j->map.item };
	size_t counts[] = { j->map.field_count, j->map.item_count };
	enum status st = ST_OK;

	for (size_t s = 0; s < 2; s++) {
		for (size_t i = 0; i < counts[s]; i++) {
			struct buf value;

			buf_init(&value, ENTRY_BYTES_MAX);
			st = map_value(&j->map, &sets[s][i], &j->csv, &value);
			buf_free(&value);
			if (st != ST_OK && st != ST_ABSENT)
				return st;
		}
	}
	st = map_at(&j->map, &j->csv, j->at);
	j->has_at = st == ST_OK;
	return st == ST_ABSENT ? ST_OK : st;
}

/* The record of this row: opened now unless an earlier row or run did. */
static enum status
record_of_row(struct job *j, const char *key, char rec[REC_LEN + 1])
{
	struct agent_edit edit;
	uint8_t id[ID_LEN];
	enum status st;

	if (!was_written(j, key, "", rec)) {
		begin_names(j);
		st = put_fields(j, j->map.field, j->map.field_count, "", "");
		if (st == ST_OK)
			st = agent_edit_begin(j->agent, NULL, &edit);
		if (st == ST_OK)
			st = append(j, &edit, DO_OPEN, key, "", id);
		if (st != ST_OK)
			return st;
		memcpy(rec, edit.rec, sizeof(edit.rec));
		j->result->records++;
		if (j->watch->opened != NULL)
			j->watch->opened(j->watch->arg, rec);
	}
	return append_apart(j, rec, j->map.field, j->map.field_count, key, "");
}

static enum status
append_item(struct job *j, const char *rec, const char *key)
{
	char prefix[PATH_BYTES_MAX + 1], hex[2 * ID_LEN + 1];
	struct agent_edit edit;
	uint8_t id[ID_LEN];
	struct buf b;
	enum status st;

	begin_names(j);
	put_name(j, "", j->map.list->path);
	buf_str(&j->data, "null");
	st = put_fields(j, j->map.item, j->map.item_count, "", "");
	if (st == ST_OK)
		st = agent_edit_begin(j->agent, rec, &edit);
	if (st == ST_OK)
		st = append(j, &edit, DO_ADD, key, "", id);
	if (st != ST_OK)
		return st;
	hex_encode(hex, bytes_of(id, ID_LEN));
	buf_init(&b, PATH_BYTES_MAX);
	buf_printf(&b, "%s/@%s/", j->map.list->path, hex);
	if (buf_cstr(&b) != NULL)
		memcpy(prefix, b.p, b.len + 1);
	st = b.err;
	buf_free(&b);
	if (st != ST_OK)
		return st;
	return append_apart(
	    j, rec, j->map.item, j->map.item_count, key, prefix);
}

static enum status
take_row(struct job *j)
{
	char key[80], rec_key[80] = "", rec[REC_LEN + 1];
	uint8_t digest[HASH_LEN];
	uint64_t before = j->result->entries;
	enum status st;

	st = row_key(j, key);
	if (st == ST_OK)
		st = check_row(j);
	if (st != ST_OK)
		return st;
	if (j->map.list == NULL) {
		st = record_of_row(j, key, rec);
	} else {
		const struct map_row_key *k =
		    j->map.record.count > 0 ? &j->map.record : &j->map.key;

		st = key_digest(j, "record", k, digest);
		if (st == ST_OK) {
			hex_encode(rec_key, bytes_of(digest, KEY_HEX / 2));
			st = record_of_row(j, rec_key, rec);
		}
		if (st == ST_OK && !was_written(j, key, "", rec))
			st = append_item(j, rec, key);
	}
	if (st == ST_OK && j->result->entries == before)
		j->result->already++;
	else if (st == ST_OK)
		j->result->taken++;
	return st;
}

static void
refuse_row(struct job *j, const struct words *why)
{
	j->result->refused++;
	if (j->watch->refused != NULL)
		j->watch->refused(j->watch->arg, j->csv.row_line, why);
}

/* A few rows durable at once, so that the disk is not waited for at each. */
static enum status
next_batch(struct job *j)
{
	enum status st = agent_batch_end(j->agent);

	j->in_batch = false;
	if (st == ST_OK)
		j->sure = *j->result;
	if (j->watch->progress != NULL)
		j->watch->progress(j->watch->arg, j->csv.at, j->csv.in.len);
	if (st == ST_OK)
		st = agent_batch_begin(j->agent);
	j->in_batch = st == ST_OK;
	return st;
}

static enum status
run_rows(struct job *j, uint64_t limit, struct words *why)
{
	for (;;) {
		enum status st = csv_next(&j->csv);

		if (st == ST_ABSENT || (limit > 0 && j->result->rows == limit))
			return ST_OK;
		if (st != ST_OK && st != ST_INVALID)
			return st;
		j->result->rows++;
		if (st == ST_INVALID) {
			words_clear(why);
			words_put(why, "这一行不是合格的 CSV：", "bad CSV: ");
			words_put(why, j->csv.why, j->csv.why);
			refuse_row(j, why);
			continue;
		}
		st = j->csv.count == j->header.count ? take_row(j) : ST_LIMIT;
		if (st == ST_LIMIT) {
			words_clear(&j->map.words);
			words_put(&j->map.words, "列数与表头不符，或整行过长",
			    "not as many fields as the header has, or too "
			    "long for one entry");
			st = ST_INVALID;
		}
		if (st == ST_INVALID)
			refuse_row(j, &j->map.words);
		else if (st != ST_OK)
			return st;
		if (j->result->rows % BATCH_ROWS == 0)
			st = next_batch(j);
		if (st != ST_OK && st != ST_INVALID)
			return st;
	}
}

static enum status
read_header(struct job *j, struct bytes csv, struct words *why)
{
	enum status st;

	csv_init(&j->header, csv, j->map.csv);
	st = csv_next(&j->header);
	if (st == ST_ABSENT || st == ST_INVALID) {
		words_put(why, "文件没有可用的表头行",
		    "the file has no usable header row");
		return ST_INVALID;
	}
	if (st == ST_OK)
		st = map_bind(&j->map, &j->header);
	if (st == ST_INVALID)
		*why = j->map.words;
	if (st != ST_OK)
		return st;
	csv_init(&j->csv, csv, j->map.csv);
	return csv_next(&j->csv);
}

enum status
import_run(struct agent *a, const struct kinds *ks, const char *file,
    struct bytes map, struct bytes csv, uint64_t limit,
    const struct import_watch *watch, struct import_result *out,
    struct words *why)
{
	static const struct import_watch none;
	struct job *j = calloc(1, sizeof(*j));
	enum status st;

	words_clear(why);
	memset(out, 0, sizeof(*out));
	if (j == NULL)
		return ST_NOMEM;
	j->agent = a;
	j->watch = watch == NULL ? &none : watch;
	j->result = out;
	j->file = file;
	map_init(&j->map);
	buf_init(&j->paths, ENTRY_BYTES_MAX);
	buf_init(&j->data, ENTRY_BYTES_MAX);
	buf_init(&j->more, ENTRY_BYTES_MAX);
	j->on = calloc(MAP_FIELDS_MAX + 1, sizeof(*j->on));
	st = j->on == NULL ? ST_NOMEM : map_load(&j->map, ks, map);
	if (st == ST_INVALID)
		*why = j->map.words;
	if (st == ST_OK)
		st = read_header(j, csv, why);
	if (st == ST_OK)
		st = agent_batch_begin(a);
	if (st == ST_OK) {
		enum status end;

		j->in_batch = true;
		st = run_rows(j, limit, why);
		/* What was taken before a failure is kept. */
		end = j->in_batch ? agent_batch_end(a) : st;
		if (st == ST_OK)
			st = end;
		/* Say no more than what the disk has. */
		if (end != ST_OK)
			*out = j->sure;
	}
	csv_free(&j->csv);
	csv_free(&j->header);
	map_free(&j->map);
	buf_free(&j->paths);
	buf_free(&j->data);
	buf_free(&j->more);
	tally_free(&j->tally);
	free(j->on);
	free(j);
	return st;
}
