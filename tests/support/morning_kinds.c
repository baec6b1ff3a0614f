#include "support/morning_kinds.h"

#define HEAD_FIELDS                                                                   \
	{ "case_no", MORNING_CASE, NULL },                                            \
	    { "cause", MORNING_ENUM,                                                  \
		    "民间借贷纠纷 买卖合同纠纷 金融借款合同纠纷 " \
		    "劳动争议 房屋租赁合同纠纷 建设工程施工合同纠纷" },               \
	    { "applicant/name", MORNING_NAME, NULL },                                 \
	    { "debtor/name", MORNING_NAME, NULL },                                    \
	    { "debtor/sort", MORNING_ENUM, "person organisation" },                   \
	    { "debtor/citizen_id", MORNING_CITIZEN, NULL },                           \
	    { "debtor/phone", MORNING_PHONE, NULL },                                  \
	    { "debtor/address", MORNING_ADDRESS, NULL },                              \
	    { "debtor/capacity", MORNING_ENUM,                                        \
		    "debtor legal_representative principal controller "               \
		    "third_party" },                                                  \
	    { "officer", MORNING_OFFICER, NULL },                                     \
	    { "recorder", MORNING_OFFICER, NULL },                                    \
	    { "started_at", MORNING_TIME, NULL },                                     \
	{                                                                             \
		"ended_at", MORNING_TIME, NULL                                        \
	}

static const struct morning_field scene_fields[] = {
	{ "address", MORNING_ADDRESS, NULL },
	{ "point/lat", MORNING_LAT, NULL },
	{ "point/lon", MORNING_LON, NULL },
	{ "point/accuracy_m", MORNING_INT, NULL },
	{ "point/age_s", MORNING_INT, NULL },
	{ "started_at", MORNING_TIME, NULL },
	{ "notices/debtor", MORNING_ENUM, "present notified absent" },
	{ "notices/family", MORNING_ENUM, "present notified absent" },
	{ "notices/grassroots", MORNING_ENUM, "present notified absent" },
	{ "notices/reason", MORNING_SENTENCE, NULL },
	{ "recorders", MORNING_INT, NULL },
	{ "minors", MORNING_BOOL, NULL },
	{ "elderly", MORNING_BOOL, NULL },
	{ "care", MORNING_SENTENCE, NULL },
	{ "language", MORNING_ENUM, "zh dialect sign" },
	{ NULL, MORNING_BOOL, NULL },
};
static const struct morning_field person_fields[] = {
	{ "name", MORNING_NAME, NULL },
	{ "capacity", MORNING_ENUM,
	    "family grassroots witness neighbour delegate journalist" },
	{ "unit", MORNING_UNIT, NULL },
	{ "phone", MORNING_PHONE, NULL },
	{ NULL, MORNING_BOOL, NULL },
};
static const struct morning_field search_fields[] = {
	HEAD_FIELDS,
	{ "ground", MORNING_ENUM, "hidden_property account_books" },
	{ "warrant/no", MORNING_DOC, NULL },
	{ "warrant/signed_by", MORNING_NAME, NULL },
	{ "warrant/date", MORNING_DATE, NULL },
	{ "scope/home", MORNING_BOOL, NULL },
	{ "scope/person", MORNING_BOOL, NULL },
	{ "scope/vehicle", MORNING_BOOL, NULL },
	{ "shown/warrant", MORNING_BOOL, NULL },
	{ "shown/work_id", MORNING_BOOL, NULL },
	{ "told/rights", MORNING_BOOL, NULL },
	{ "told/recording", MORNING_BOOL, NULL },
	{ "ordered/hand_over_at", MORNING_TIME, NULL },
	{ "ordered/open_at", MORNING_TIME, NULL },
	{ "forced/how", MORNING_SENTENCE, NULL },
	{ "forced/damage", MORNING_SENTENCE, NULL },
	{ "narrative", MORNING_SENTENCE, NULL },
	{ "found", MORNING_ENUM, "property books nothing" },
	{ "obstruction", MORNING_SENTENCE, NULL },
	{ "read_back", MORNING_BOOL, NULL },
	{ NULL, MORNING_BOOL, NULL },
};
static const struct morning_field seizure_fields[] = {
	HEAD_FIELDS,
	{ "ruling_no", MORNING_DOC, NULL },
	{ "measure", MORNING_ENUM, "seal seize freeze" },
	{ "waiting", MORNING_BOOL, NULL },
	{ "copy/to", MORNING_NAME, NULL },
	{ "copy/at", MORNING_TIME, NULL },
	{ "copy/refused", MORNING_BOOL, NULL },
	{ "narrative", MORNING_SENTENCE, NULL },
	{ NULL, MORNING_BOOL, NULL },
};
static const struct morning_field item_fields[] = {
	{ "name", MORNING_OBJECT, NULL },
	{ "model", MORNING_DOC, NULL },
	{ "quantity", MORNING_INT, NULL },
	{ "unit", MORNING_ENUM, "件 台 辆 张 本 元" },
	{ "value", MORNING_MONEY, NULL },
	{ "value_basis", MORNING_ENUM, "stated estimate invoice market" },
	{ "where", MORNING_SENTENCE, NULL },
	{ "ownership", MORNING_ENUM, "sole shared unclear third_party" },
	{ "plate", MORNING_PLATE, NULL },
	{ "seal_no", MORNING_DOC, NULL },
	{ "custodian", MORNING_NAME, NULL },
	{ "use_allowed", MORNING_BOOL, NULL },
	{ "until", MORNING_DATE, NULL },
	{ NULL, MORNING_BOOL, NULL },
};
static const struct morning_field eviction_fields[] = {
	HEAD_FIELDS,
	{ "notice/no", MORNING_DOC, NULL },
	{ "notice/date", MORNING_DATE, NULL },
	{ "notice/days", MORNING_INT, NULL },
	{ "address", MORNING_ADDRESS, NULL },
	{ "keys", MORNING_SENTENCE, NULL },
	{ "handed_to", MORNING_NAME, NULL },
	{ "handed_at", MORNING_TIME, NULL },
	{ "narrative", MORNING_SENTENCE, NULL },
	{ NULL, MORNING_BOOL, NULL },
};
static const struct morning_field goods_fields[] = {
	{ "name", MORNING_OBJECT, NULL },
	{ "quantity", MORNING_INT, NULL },
	{ "to", MORNING_ADDRESS, NULL },
	{ "received_by", MORNING_NAME, NULL },
	{ NULL, MORNING_BOOL, NULL },
};
static const struct morning_field detention_fields[] = {
	HEAD_FIELDS,
	{ "decision_no", MORNING_DOC, NULL },
	{ "act", MORNING_SENTENCE, NULL },
	{ "days", MORNING_INT, NULL },
	{ "from", MORNING_DATE, NULL },
	{ "to", MORNING_DATE, NULL },
	{ "approval/by", MORNING_NAME, NULL },
	{ "approval/at", MORNING_TIME, NULL },
	{ "emergency", MORNING_BOOL, NULL },
	{ "told/reconsideration", MORNING_BOOL, NULL },
	{ "police/body", MORNING_UNIT, NULL },
	{ "police/officer", MORNING_NAME, NULL },
	{ "police/receipt_no", MORNING_DOC, NULL },
	{ "family/told_at", MORNING_TIME, NULL },
	{ "family/reason", MORNING_SENTENCE, NULL },
	{ "injuries", MORNING_SENTENCE, NULL },
	{ NULL, MORNING_BOOL, NULL },
};
static const struct morning_field compel_fields[] = {
	HEAD_FIELDS,
	{ "summons/no", MORNING_DOC, NULL },
	{ "summons/date", MORNING_DATE, NULL },
	{ "writ/no", MORNING_DOC, NULL },
	{ "arrived_at", MORNING_TIME, NULL },
	{ "questioning/from", MORNING_TIME, NULL },
	{ "questioning/until", MORNING_TIME, NULL },
	{ "meals", MORNING_SENTENCE, NULL },
	{ "told/consequences", MORNING_BOOL, NULL },
	{ "result", MORNING_ENUM, "left detained settled" },
	{ NULL, MORNING_BOOL, NULL },
};
static const struct morning_field stage_fields[] = {
	{ "stage", MORNING_ENUM,
	    "assemble depart arrive show search seal seize clear compel "
	    "custody return" },
	{ "point/lat", MORNING_LAT, NULL },
	{ "point/lon", MORNING_LON, NULL },
	{ NULL, MORNING_BOOL, NULL },
};
static const struct morning_field message_fields[] = {
	{ "to", MORNING_ENUM, "team centre" },
	{ "text", MORNING_SENTENCE, NULL },
	{ NULL, MORNING_BOOL, NULL },
};

const struct morning_kind morning_kinds[] = {
	{ "scene@1", scene_fields, "persons", person_fields, "draft done", NULL,
	    2, 7 },
	{ "search@1", search_fields, NULL, NULL, "draft running done signed",
	    "narrative", 4, 10 },
	{ "seizure@1", seizure_fields, "items", item_fields,
	    "draft done signed", "items", 4, 14 },
	{ "eviction@1", eviction_fields, "goods", goods_fields,
	    "draft running done", "goods", 2, 10 },
	{ "detention@1", detention_fields, NULL, NULL,
	    "draft approved delivered", "narrative", 1, 9 },
	{ "compel@1", compel_fields, NULL, NULL, "draft arrived left", "meals",
	    1, 7 },
	{ "stage@1", stage_fields, NULL, NULL, "done", NULL, 2, 1 },
	{ "message@1", message_fields, NULL, NULL, "sent", NULL, 2, 1 },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0, 0 },
};
