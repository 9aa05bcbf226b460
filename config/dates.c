/* SPDX-License-Identifier: Apache-2.0 */
#include "config/dates.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The calendar's months counted from March, so that the leap day is the year's last. */
static int days_of(int year, int month, int day)
{
	int y = month < 3 ? year - 1 : year, m = month < 3 ? month + 9 : month - 3;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool has_form(const char *text)
{
	for (int i = 0; i < 10; i++)
		if (i == 4 || i == 7 ? text[i] != '-' : !isdigit((unsigned char)text[i]))
			return false;
	return text[10] == '\0';
}

int date_days(const char *text)
{
	static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	char back[DATE_TEXT];
	if (!has_form(text))
		return 0;
	int year = atoi(text), month = atoi(text + 5), day = atoi(text + 8);
	if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1])
		return 0;
	int days = days_of(year, month, day);
	return days > 0 && strcmp(date_text(days, back), text) == 0 ? days : 0;
}

const char *date_text(int days, char text[static DATE_TEXT])
{
	int year = 1970 + days / 366, month = 1;
	while (days_of(year + 1, 1, 1) <= days)
		year++;
	while (month < 12 && days_of(year, month + 1, 1) <= days)
		month++;
	snprintf(text, DATE_TEXT, "%04d-%02d-%02d", year % 10000, month,
		 (days - days_of(year, month, 1) + 1) % 100);
	return text;
}

int minute_of_day(const char *text)
{
	int hour = 0, minute = 0, length = 0;
	if (strlen(text) != 5 || sscanf(text, "%2d:%2d%n", &hour, &minute, &length) != 2)
		return -1;
	return length == 5 && hour >= 0 && hour < 24 && minute >= 0 && minute < 60
		       ? hour * 60 + minute
		       : -1;
}
