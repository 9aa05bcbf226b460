/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Dates: days of the civil calendar as numbers, for limits that hold from one to another.
 *
 * A day is counted from 1970-01-01; 0 stands for no bound, so that day itself is no date here.
 */

enum { DATE_TEXT = 16 };

/** date_days() - "YYYY-MM-DD" as days since 1970-01-01; 0 where it is no date from 1970-01-02 on */
int date_days(const char *text);
/** minute_of_day() - "08:30" in minutes; -1: it is none */
int minute_of_day(const char *text);
/** date_text() - the day as "YYYY-MM-DD". Return: @text */
const char *date_text(int days, char text[static DATE_TEXT]);
