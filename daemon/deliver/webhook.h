/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Webhook: what an HTTP receiver's status means to a delivery.
 */
#include "deliver/courier-type.h"

/**
 * webhook_judge() - from the status of an answer (pure); 0: there was none
 *
 * Only 2xx is success. 400, 409, 413, 414, 422 and 431 speak of this event, which is held back
 * and tried again; 408, 425, 429, 502, 503 and 504 ask for time; 500 and other 5xx are doubtful;
 * all else, such as 401, 403, 404, 410 and any redirect, turns us away.
 */
enum courier_outcome webhook_judge(long status);
