#ifndef SUPPORT_MORNING_WORDS_H
#define SUPPORT_MORNING_WORDS_H
/* The two sets of words of `morning`, each list ending in NULL. */

struct morning_text {
	const char *const *court,
	    *const *officer, *const *surname, *const *given,
						  *const *street,
						      *const *object,
							  *const *sentence,
							      *const *reason,
								  *const *unit;
};

extern const struct morning_text morning_text[2];

#endif
