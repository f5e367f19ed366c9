//! `candlewick completions SHELL`: a script that completes verbs, flags and the words of an enumeration, made from the
//! same list as everything else. It starts no program while a person types.

use std::fmt::Write as _;

use cw_api::COMMANDS;
use cw_api::args::{Kind, Spec};

use crate::own::{self, Shell};

const GLOBAL_FLAGS: &str = "--data-dir --config --format --quiet --help";

/// One verb as it is typed, and its arguments.
fn verbs() -> Vec<(String, Spec)> {
    let registry = COMMANDS
        .iter()
        .map(|entry| (format!("{} {}", entry.noun(), entry.verb()), Spec::from_schema(&entry.request_schema())));
    own::all().into_iter().map(|(name, spec)| (name.to_owned(), spec)).chain(registry).collect()
}

/// The words that an argument may have, where they are counted.
fn choices(kind: &Kind) -> Vec<&str> {
    match kind {
        Kind::Choice(words) => words.iter().map(|(word, _)| word.as_str()).collect(),
        Kind::List(inner) => choices(inner),
        _ => Vec::new(),
    }
}

/// The script for a shell; `source <(candlewick completions bash)` loads it.
pub fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash(),
        // zsh reads bash's completions.
        Shell::Zsh => format!("autoload -U +X bashcompinit && bashcompinit\n{}", bash()),
        Shell::Fish => fish(),
    }
}

fn bash() -> String {
    let mut text = String::from(
        "_candlewick() {\n  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n  \
         local verb=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" words=''\n  \
         case \"$verb|$previous\" in\n",
    );
    let verbs = verbs();
    let mut line = |pattern: &str, words: &str| {
        writeln!(text, "    {pattern}) words='{words}' ;;").expect("writing to a String cannot fail");
    };
    for (verb, spec) in &verbs {
        for arg in &spec.args {
            let words = choices(&arg.kind);
            if !words.is_empty() {
                line(&format!("'{verb}|--{}'", arg.flag), &words.join(" "));
            }
        }
    }
    line("*'|--format'", "table json csv markdown");
    let flags = |spec: &Spec| {
        let flags: Vec<String> = spec.args.iter().map(|arg| format!("--{}", arg.flag)).collect();
        format!("{} {GLOBAL_FLAGS}", flags.join(" "))
    };
    for (verb, spec) in verbs.iter().filter(|(verb, _)| verb.contains(' ')) {
        line(&format!("'{verb}|'*"), &flags(spec));
    }
    for (noun, seconds) in nouns(&verbs) {
        let own = verbs.iter().find(|(verb, _)| *verb == noun).map(|(_, spec)| flags(spec));
        line(&format!("'{noun} '*"), &format!("{} {}", seconds.join(" "), own.unwrap_or_default()));
    }
    let first: Vec<String> = nouns(&verbs).into_iter().map(|(noun, _)| noun).collect();
    line("*", &format!("{} help {GLOBAL_FLAGS}", first.join(" ")));
    text.push_str(
        "  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n\
         complete -o default -F _candlewick candlewick\n",
    );
    text
}

/// First words with the second ones that may follow.
fn nouns(verbs: &[(String, Spec)]) -> Vec<(String, Vec<&str>)> {
    let mut nouns: Vec<(String, Vec<&str>)> = Vec::new();
    for (verb, _) in verbs {
        let (noun, second) = verb.split_once(' ').unwrap_or((verb, ""));
        match nouns.iter_mut().find(|(known, _)| known == noun) {
            Some((_, seconds)) => seconds.push(second),
            None => nouns.push((noun.to_owned(), vec![second])),
        }
    }
    nouns
}

fn fish() -> String {
    let mut text = String::from("complete -c candlewick -f\n");
    let mut line = |condition: &str, rest: &str| {
        writeln!(text, "complete -c candlewick -n '{condition}' {rest}").expect("writing to a String cannot fail");
    };
    let verbs = verbs();
    for (noun, seconds) in nouns(&verbs) {
        line("__fish_use_subcommand", &format!("-a {noun}"));
        let seconds = seconds.join(" ");
        if !seconds.trim().is_empty() {
            let condition = format!("__fish_seen_subcommand_from {noun}; and test (count (commandline -opc)) -eq 2");
            line(&condition, &format!("-a '{}'", seconds.trim()));
        }
    }
    for (verb, spec) in &verbs {
        let seen: Vec<String> = verb.split(' ').map(|w| format!("__fish_seen_subcommand_from {w}")).collect();
        for arg in &spec.args {
            let takes = match choices(&arg.kind).as_slice() {
                [] if arg.kind == Kind::Switch => String::new(),
                [] => " -r".to_owned(),
                words => format!(" -x -a '{}'", words.join(" ")),
            };
            let help = arg.help.split(['.', ':', ';', '\'', '\\']).next().unwrap_or_default();
            line(&seen.join("; and "), &format!("-l {}{takes} -d '{help}'", arg.flag));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    /// What bash would offer for a line.
    fn offered(line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let array: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let test = format!(
            "{}\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_candlewick\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
            script(Shell::Bash),
            array.join(" "),
            words.len() - 1
        );
        let mut bash = Command::new("bash").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        bash.stdin.take().unwrap().write_all(test.as_bytes()).unwrap();
        let output = bash.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn bash_offers_what_fits() {
        assert_eq!(offered("candlewick ord"), ["orders"]);
        assert_eq!(offered("candlewick orders pl"), ["place"]);
        assert_eq!(offered("candlewick orders place --st"), ["--stop", "--stop-loss"]);
        assert_eq!(offered("candlewick orders place --side "), ["buy", "sell"]);
        assert_eq!(offered("candlewick run --li"), ["--listen"]);
        assert_eq!(offered("candlewick mcp in"), ["install"]);
        assert_eq!(offered("candlewick candles get --format j"), ["json"]);
        assert!(offered("candlewick nonsense --x").is_empty());
    }

    #[test]
    fn every_verb_is_in_every_shells_script() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = script(shell);
            for entry in COMMANDS {
                assert!(text.contains(entry.noun()) && text.contains(entry.verb()), "{} in {shell:?}", entry.name);
            }
        }
    }
}
