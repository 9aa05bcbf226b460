// SPDX-License-Identifier: Apache-2.0
// The office page's script. The page is whole without it; with it, it follows the events, and an
// officer who types a token sees the actions that his roles and the case allow.
// The token is kept in this tab alone (sessionStorage) and goes nowhere but into the header of
// requests to this daemon; half an hour without a key or a click forgets it.
(function () {
'use strict';
var timer = 0, idle = 0, patience = 20, turn = 0, sure = false, busy = false, token = '';
try { token = sessionStorage.getItem('ducha') || ''; } catch (e) { }
function at(id) { return document.getElementById(id); }
function all(query) { return [].slice.call(document.querySelectorAll(query)); }
function keep(value) {
	token = value;
	try {
		if (value) sessionStorage.setItem('ducha', value);
		else sessionStorage.removeItem('ducha');
	} catch (e) { }
	stir();
}
function leave() { keep(''); location.reload(); }
function stir() { clearTimeout(idle); if (token) idle = setTimeout(leave, 1800000); }
function ask(path, how) {
	how = how || {};
	how.cache = 'no-store';
	how.headers = how.headers || {};
	if (token) how.headers.Authorization = 'Bearer ' + token;
	return fetch(path, how);
}

// Reading: asks for the page again when an event comes, at most once a second, and once a minute.
// What an officer is at work with stays as it is.
function swap(text) {
	var page = new DOMParser().parseFromString(text, 'text/html'), focus = document.activeElement,
		key = focus && (focus.getAttribute('href') || focus.dataset.case);
	['summary', 'cases', 'sites', 'alerts', 'who', 'deeds', 'foot'].forEach(function (id) {
		var old = at(id), now = page.getElementById(id);
		if (old && now && (!('officer' in old.dataset) || old.dataset.officer !== now.dataset.officer))
			old.replaceWith(document.adoptNode(now));
	});
	if (key) all('a,[data-case]').forEach(function (a) {
		if ((a.getAttribute('href') || a.dataset.case) === key) a.focus();
	});
	unread();
	offer();
}
// The curves of the last day are read when somebody looks, which may take a while.
function unread() { if (document.querySelector('.unread') && patience-- > 0) soon(); }
function load() {
	var mine = ++turn;
	timer = 0;
	return ask(location.href).then(function (answer) {
		if (!answer.ok) throw answer.status;
		return answer.text();
	}).then(function (text) { if (mine === turn) swap(text); });
}
function follow() { load().catch(function (status) { if (status === 401) leave(); else off(); }); }
function off() { at('live').textContent = at('live').dataset.off; }
function soon() { if (!timer) timer = setTimeout(follow, 1000); }

// Who is here.
function offer() { if (at('sign')) at('sign').hidden = !window.isSecureContext; }
function enter() {
	var said = at('sign-said');
	keep(at('token').value.trim());
	at('token').value = '';
	if (!/^[\x21-\x7e]+$/.test(token)) { keep(''); said.textContent = said.dataset.wrong; return; }
	load().then(function () { if (at('out')) at('out').focus(); }).catch(function (status) {
		keep('');
		said.textContent = status === 401 ? said.dataset.wrong : status === 429 ? said.dataset.many
			: said.dataset.failed;
	});
}
function dossier(event, href) {
	var tab = window.open('', '_blank');
	event.preventDefault();
	ask(href).then(function (answer) { return answer.text(); }).then(function (text) {
		var url = URL.createObjectURL(new Blob([text], {type: 'text/html'}));
		(tab || window).location = url;
		setTimeout(function () { URL.revokeObjectURL(url); }, 60000);
	}).catch(function () { if (tab) tab.close(); off(); });
}

// Acting: choose, say, confirm.
function words(list) { return list ? list.split(' ') : []; }
function option() { return at('deed-action').selectedOptions[0]; }
function inputs() { return all('#deed-fields [data-field]:not([hidden]) [name]'); }
function begin(button) {
	var acts = words(button.dataset.acts), first = null;
	at('deed-form').reset();
	at('deed').dataset.case = button.dataset.case;
	at('deed-case').textContent = button.dataset.title;
	all('#deed-action option').forEach(function (o) {
		o.hidden = o.disabled = acts.indexOf(o.value) < 0;
		if (!o.disabled) first = first || o;
	});
	if (first) first.selected = true;
	fields();
	stage(false);
	at('deed-refused').hidden = true;
	at('deed').showModal();
}
function fields() {
	var takes = words(option().dataset.takes), needs = words(option().dataset.needs);
	all('#deed-fields [data-field]').forEach(function (label) {
		var field = label.dataset.field, input = label.querySelector('[name]');
		label.hidden = input.disabled = takes.indexOf(field) < 0;
		input.required = needs.indexOf(field) >= 0;
	});
}
function given(input) {
	return input.type === 'file' ? input.files[0].name
		: input.selectedOptions ? input.selectedOptions[0].textContent : input.value;
}
function stage(value) {
	var lines = [option().textContent + ' \u00b7 ' + at('deed-case').textContent];
	sure = value;
	inputs().forEach(function (input) {
		if (input.value) lines.push(input.closest('label').firstChild.textContent + ': ' + given(input));
	});
	lines.push(at('deed-sure').dataset.sure);
	at('deed-sure').textContent = lines.join('\n');
	at('deed-sure').hidden = at('deed-back').hidden = !sure;
	at('deed-fields').hidden = sure;
	at('deed-go').textContent = sure ? at('deed-go').dataset.sure : at('deed-go').dataset.go;
	if (sure) { at('deed-refused').hidden = true; at('deed-go').focus(); }
}
function order() {
	var path = '/api/v1/cases/' + at('deed').dataset.case, body = {action: option().value}, more = [];
	inputs().forEach(function (input) { if (input.value && input.type !== 'file') body[input.name] = input.value; });
	if (body.action !== 'attach')
		return ask(path + '/actions', {method: 'POST', body: JSON.stringify(body)});
	var file = at('deed-form').elements.file.files[0];
	delete body.action;
	body.name = file.name;
	Object.keys(body).forEach(function (key) { more.push(key + '=' + encodeURIComponent(body[key])); });
	return ask(path + '/attachments?' + more.join('&'), {method: 'POST', body: file});
}
function named(list, query) {
	return (list || []).map(function (name) {
		var found = all(query).filter(function (e) { return (e.value || e.dataset.lack) === name; })[0];
		return found && found.textContent;
	}).filter(Boolean);
}
// The days that do not count for closing, as 2026-03-05 and why; the English sentence has them.
function days(list) {
	if (document.documentElement.lang === 'en') return '';
	return (list || []).map(function (d) {
		var why = document.querySelector('#deed-days [data-day="' + d.is + '"]');
		return '\n' + d.day + ' ' + (why ? why.textContent : '') + (d.needed ? ' ' + d.valid + ' / ' + d.needed : '');
	}).join('');
}
// The daemon says why in English; on a page in another language the kind of refusal is said, and the
// fields that it names, where the sentence is none that the page knows.
function reason(status, error) {
	var why = at('deed-refused').dataset['s' + status] || '', named = inputs().filter(function (input) {
		return new RegExp('\\b' + input.name + '\\b').test(error || '');
	}).map(function (input) { return input.closest('label').firstChild.textContent; });
	if (document.documentElement.lang === 'en' || !status) return error || String(status);
	var known = Array.prototype.filter.call(document.querySelectorAll('#deed-whys li'), function (li) { return li.dataset.why === error; })[0];
	if (known) return known.textContent;
	return why + (status === 400 && named.length ? ' ' + named.join(', ') : '');
}
function refused(status, answer) {
	var box = at('deed-refused'), text = box.dataset.refused,
		allowed = named(answer.allowed, '#deed-action option'), lacks = named(answer.missing, '#deed-lacks li');
	if (status === 401) { leave(); return; }
	if (lacks.length) text += '\n' + box.dataset.lacks + ' ' + lacks.join('; ') + days(answer.days);
	if (answer.allowed) text += '\n' + box.dataset.allowed + ' ' + (allowed.join(', ') || '-');
	box.textContent = text + '\n' + reason(status, answer.error);
	box.hidden = false;
	stage(false);
}
function act() {
	if (busy) return;
	busy = true;
	order().then(function (answer) {
		if (answer.ok) { at('deed').close(); follow(); return; }
		return answer.json().catch(function () { return {}; }).then(function (said) { refused(answer.status, said); });
	}).catch(function () {
		refused(0, {error: at('deed-refused').dataset.unknown});
	}).then(function () { busy = false; });
}

document.addEventListener('click', function (event) {
	var b = event.target.closest('button,a');
	stir();
	if (!b) return;
	if (b.id === 'out') leave();
	else if (b.dataset.case) begin(b);
	else if (b.id === 'deed-back') stage(false);
	else if (b.id === 'deed-leave') at('deed').close();
	else if (token && b.matches('#cases th a')) dossier(event, b.href);
});
document.addEventListener('submit', function (event) {
	if (event.target.id === 'sign') { event.preventDefault(); enter(); }
	else if (event.target.id === 'deed-form') { event.preventDefault(); if (sure) act(); else stage(true); }
});
document.addEventListener('change', function (event) { if (event.target.id === 'deed-action') fields(); });
document.addEventListener('keydown', stir);
var events = new EventSource('/api/v1/events');
['alert.raised', 'alert.cleared', 'case.opened', 'case.updated', 'case.overdue', 'case.closed',
'connection.lost', 'connection.restored'].forEach(function (type) {
	events.addEventListener('ducha.' + type, soon);
});
events.onopen = function () { at('live').textContent = at('live').dataset.on; };
events.onerror = off;
setInterval(follow, 60000);
offer();
stir();
unread();
if (token) follow();
})();
