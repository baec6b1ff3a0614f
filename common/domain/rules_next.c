/*
 * rules_next: rules that came later, and which of them judge an act
 * (docs/KINDS.md, section 7).
 */
#include <assert.h>
#include <string.h>

#include "base/sha.h"
#include "domain/rules_priv.h"

/* ---- what may take a rule's place */

/* Why the limits of `r` are looser than those of `old`, or NULL. */
static const char *
looser_param(const struct rule *old, const struct rule *r)
{
	for (size_t i = 0; i < old->param_count; i++) {
		const struct param *was = &old->params[i], *is = NULL;

		for (size_t k = 0; k < r->param_count; k++) {
			if (strcmp(r->params[k].name, was->name) == 0)
				is = &r->params[k];
		}
		if (is == NULL || !param_as_tight(is, was))
			return was->name;
	}
	return NULL;
}

enum status
rule_may_follow(struct rules *rs, const struct rule *old, const struct rule *r,
    const char *name)
{
	const char *param;

	/* A court's own rule is the court's to change. */
	if (old->local)
		return ST_OK;
	if (r->local || r->severity < old->severity || r->to < old->to ||
	    r->from > old->to ||
	    memcmp(r->shape, old->shape, sizeof(r->shape)) != 0) {
		words_zh(&rs->why,
		    "%s：%s 为法定规则，新版本不得改变其条件、降低等级或提前"
		    "失效",
		    name, r->id);
		words_en(&rs->why,
		    "%s: %s is a rule of statute: a new version may not change "
		    "its conditions, weigh less or end sooner",
		    name, r->id);
		return ST_INVALID;
	}
	param = looser_param(old, r);
	if (param == NULL)
		return ST_OK;
	words_zh(&rs->why, "%s：%s 的 %s 比法定限度宽：只可从严，不可放宽",
	    name, r->id, param);
	words_en(&rs->why,
	    "%s: %s of %s is looser than the statute, which may only be "
	    "tightened",
	    name, param, r->id);
	return ST_INVALID;
}

/* ---- which one judges */

static bool
has_begun(const struct rule *r, int64_t day, int64_t ms)
{
	return day >= r->from && day <= r->to && ms >= r->since_ms;
}

bool
rule_in_force(const struct rule *r, int64_t day, int64_t ms)
{
	if (!has_begun(r, day, ms))
		return false;
	for (const struct rule *x = r->next; x != NULL; x = x->next) {
		if (has_begun(x, day, ms))
			return false;
	}
	return true;
}

void
rules_before(struct rules *rs, struct rules *before, int64_t since_ms)
{
	assert(rs->before == NULL);
	rs->before = before;
	rs->since_ms = since_ms;
}

const struct rules *
rules_of_time(const struct rules *rs, int64_t day, int64_t ms)
{
	while (
	    rs->before != NULL && (day < rs->court_from || ms < rs->since_ms))
		rs = rs->before;
	return rs;
}

/* ---- what decides for one kind */

static bool
concerns(const struct rule *r, const struct kind *k)
{
	for (size_t i = 0; i < r->kind_count; i++) {
		if (strcmp(r->kinds[i], k->name) == 0)
			return true;
	}
	return r->kind_count == 0;
}

/* Chained digests: no buffer that could fail. */
static void
mix(uint8_t sum[HASH_LEN], struct bytes more)
{
	struct bytes both[2] = { bytes_of(sum, HASH_LEN), more };
	uint8_t next[HASH_LEN];

	sha256_many(next, both, 2);
	memcpy(sum, next, HASH_LEN);
}

void
rules_version_for(
    const struct rules *rs, const struct kind *k, uint8_t out[HASH_LEN])
{
	memcpy(out, k->sha256, HASH_LEN);
	for (; rs != NULL; rs = rs->before) {
		int64_t span[2] = { rs->court_from, rs->since_ms };

		mix(out, bytes_of((const uint8_t *)span, sizeof(span)));
		mix(out, bytes_of(rs->told_sha256, HASH_LEN));
		for (size_t i = 0; i < rs->count; i++) {
			const struct rule *r = rs->list[i];

			if (!concerns(r, k))
				continue;
			mix(out, bytes_of(r->sha256, HASH_LEN));
			mix(out, bytes_str(r->params_json));
			mix(out, bytes_str(r->on ? "on" : "off"));
			mix(out, bytes_of((const uint8_t *)&r->since_ms,
				     sizeof(r->since_ms)));
		}
	}
}
