/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Topic: does a topic fit a filter? Pure. Source: MQTT 3.1.1, 4.7.
 */
#include <stdbool.h>

/** topic_has_wildcard() - true if @filter may fit more than one topic */
bool topic_has_wildcard(const char *filter);

/** topic_matches() - @topic is one of those @filter asks for; $… only where the filter says so */
bool topic_matches(const char *filter, const char *topic);
