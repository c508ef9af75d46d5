# bash completion of lanekeeper(8). tests/deploy/completion_test.py holds it to --help.

_lanekeeper_commands="demo demo-streams demo-clients streams top watch cancel drain reload loglevel health wait"
_lanekeeper_levels="trace debug info warn error"

# Of a command; of the daemon where there is none.
_lanekeeper_flags() {
  local filters="--method --peer --state --min-age --stuck"
  case $1 in
    "") echo --version --config --check --print-config --log-level --log-format ;;
    demo) echo --listen ;;
    demo-streams) echo --target ;;
    demo-clients) echo --target --connections --rpcs --metrics ;;
    streams) echo "$filters" --limit --json --admin ;;
    top) echo "$filters" --interval --count --admin ;;
    watch) echo "$filters" --interval --json --admin ;;
    cancel) echo --reason --admin ;;
    drain) echo --wait --admin ;;
    reload) echo --dry-run --admin ;;
    loglevel) echo --admin ;;
    health) echo --live --metrics ;;
    wait) echo --max --live --metrics ;;
  esac
  echo --help
}

_lanekeeper_takes_value() {
  case $1 in
    --config | --log-level | --log-format | --listen | --target | --connections | --rpcs | \
      --metrics | --method | --peer | --state | --min-age | --limit | --interval | --count | \
      --reason | --max | --admin) return 0 ;;
  esac
  return 1
}

_lanekeeper_files() {
  compopt -o filenames 2>/dev/null
  compgen -f -- "$1"
}

# What may follow a flag; nothing where only the user knows.
_lanekeeper_values() {
  case $1 in
    --config) _lanekeeper_files "$2" ;;
    --log-level) compgen -W "$_lanekeeper_levels" -- "$2" ;;
    --log-format) compgen -W "text json" -- "$2" ;;
    --state) compgen -W "receiving sending waiting half_closed" -- "$2" ;;
  esac
}

_lanekeeper() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command="" word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if _lanekeeper_takes_value "$word"; then
      ((i++))
      [[ ${COMP_WORDS[i]} != "=" ]] || ((i++))
    elif [[ " $_lanekeeper_commands " == *" $word "* ]]; then
      command=$word
      break
    fi
  done

  # --flag=value comes as three words.
  if [[ $current == "=" ]]; then
    current=""
  elif [[ $previous == "=" ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if _lanekeeper_takes_value "$previous"; then
    mapfile -t COMPREPLY < <(_lanekeeper_values "$previous" "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_lanekeeper_flags "$command")" -- "$current")
  elif [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$_lanekeeper_commands" -- "$current")
  elif [[ $command == loglevel ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$_lanekeeper_levels" -- "$current")
  elif [[ $command == reload ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}

complete -o filenames -F _lanekeeper lanekeeper
