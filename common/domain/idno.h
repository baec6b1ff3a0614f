#ifndef DOMAIN_IDNO_H
#define DOMAIN_IDNO_H
/*
 * idno: numbers that carry their own check.
 */
#include "base/bytes.h"

/* Citizen identity number, 18 characters: a real birth date in places 7-14 and
 * the check character of ISO 7064 MOD 11-2 (GB 11643-1999); X in capital. */
bool idno_citizen(struct bytes text);

/* Unified social credit code, 18 characters of the 31 of GB 32100-2015, with
 * its check character (weights 3^i mod 31). */
bool idno_org(struct bytes text);

/* Vehicle identification number, 17 characters without I, O, Q and with the
 * check digit in place 9 (ISO 3779, GB 16735). */
bool idno_vin(struct bytes text);

/* A plate as mainland China issues them: a province, a letter, five or six
 * letters or digits, the last of which may be 挂 学 警 港 澳. */
bool idno_plate(struct bytes text);

/* A case number, new or old style, brackets of either width:
 * （2017）苏0302执1234号  （2015）云执字第1234号  （2020）苏03执异12号之一 */
bool idno_case(struct bytes text);

#endif
