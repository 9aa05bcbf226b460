# SPDX-License-Identifier: Apache-2.0
# Completion of duchactl for bash: the program itself knows what may stand next.
_duchactl() {
	local IFS=$'\n'
	COMPREPLY=($(compgen -W "$("$1" --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "$2"))
}
complete -o default -F _duchactl duchactl
