//! How it looks: tables and help at every width, and colour only where somebody sees it.

use crate::home::Home;

/// The length of the longest line, in characters.
fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

fn at_width(home: &Home, words: &[&str], width: usize) -> String {
    let output = home.command(words).env("COLUMNS", width.to_string()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn everything_fits_from_60_to_200_columns() {
    let home = Home::new();
    let long = "echo a rather long line that says a lot and goes on and on; true && false || test -e somewhere/over/there";
    home.add(&["a-name-that-is-not-short-at-all", "--cmd", long, "--every", "1h"]);
    home.add(&[
        "second",
        "--cmd",
        "exit 1",
        "--until",
        "any(exit 0, output /all [0-9]+ tests passed/)",
        "--wait",
        "1h",
    ]);
    home.run(&["wait", "second", "--timeout", "500ms"]);
    for width in [60, 80, 100, 140, 200] {
        for words in [
            &["ls"][..],
            &["show", "second"],
            &["logs", "second"],
            &["explain", "second"],
            &["add", "--help"],
            &["--help"],
            &["daemon", "status"],
        ] {
            let text = at_width(&home, words, width);
            assert!(widest(&text) <= width, "{words:?} at {width}:\n{text}");
            assert!(!text.lines().any(|line| line.ends_with(' ')), "{words:?} at {width}:\n{text:?}");
        }
    }
}

#[test]
fn help_is_as_it_was_written() {
    let home = Home::new();
    insta::assert_snapshot!(at_width(&home, &["--help"], 100), @r"
    Durable loops: run a command or an agent, check the result, decide, survive

    Usage: converge [OPTIONS] [COMMAND]

    Commands:
      add          Run an agent or a command again and again, or on a schedule, until it is done
      ls           List the jobs
      show         Show a job or a run in full
      logs         Show the runs of a job, and the end of what the newest wrote
      explain      Say why a job runs, waits or stopped, and what would end it
      open         Go on by hand with the conversation of a run
      run-now      Run a job now, beside its schedule, and wait for the run
      wait         Wait until a run is over, or a job starts no more runs
      pause        Start no more runs until resumed; a run under way finishes
      resume       Go on with paused jobs
      update       Change a job; what is not named stays as it is
      cancel       End jobs for good, with their runs under way; history stays
      archive      Hide jobs that are over
      unarchive    Show archived jobs again
      rm           Remove jobs; with --force also their history and output
      events       List what happened, in order
      agents       List the agent CLIs that are known, and which of them are here
      doctor       Look for problems, and say how to mend each
      daemon       The background process that owns the loops; it starts by itself
      account      Accounts of agents beside the usual ones: private homes, or who says who they are
      condition    Try conditions
      mcp          Be an MCP server for an agent, on standard input and output
      completions  Print a completion script for a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
          --json     Reply as JSON
      -h, --help     Print help
      -V, --version  Print version

    Commonest:
      converge add --cmd 'cargo test' --until 'exit 0' --wait 1m --follow
      converge ls
      converge explain NAME

    Every command takes --json.

    Exit codes:
       0  ok
       1  the work failed
       2  a person is needed
       3  waiting took too long
      64  the command line cannot be done
      69  no daemon
    ");
}

#[test]
fn a_list_is_a_readable_table() {
    let home = Home::new();
    home.add(&["hand", "--manual", "--cmd", "true"]);
    home.add(&["done", "--cmd", "true", "--until", "exit 0", "--wait", "1s"]);
    home.over("done");
    let text = at_width(&home, &["ls"], 120);
    let plain: Vec<String> = text
        .lines()
        .map(|line| {
            let words = line.split_whitespace();
            // Ids differ from run to run.
            words
                .map(|word| if word.len() == 9 && word.starts_with('j') { "ID" } else { word })
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    insta::assert_snapshot!(plain.join("\n"), @r"
    NAME ID STATE WHEN RUNS LAST RUN NEXT
    hand ID active only by `converge run-now` 0
    done ID completed in a loop, 1s after each end 1 succeeded condition met
    ");
}

#[test]
fn colour_is_for_terminals_and_not_against_anybodys_will() {
    let home = Home::new();
    home.add(&["job", "--manual", "--cmd", "true"]);
    assert!(!home.run(&["ls"]).done().all().contains('\u{1b}'), "a pipe is no terminal");
    let coloured = home.on_terminal(&["ls"], &[]);
    assert!(coloured.contains('\u{1b}'), "{coloured:?}");
    for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = home.on_terminal(&["ls"], &[variable]);
        assert!(!plain.contains('\u{1b}') && plain.contains("job"), "{variable:?}: {plain:?}");
    }
}

#[test]
fn alone_it_greets_with_what_to_do_next() {
    let home = Home::new();
    let fresh = home.run::<&str>(&[]).done().out;
    assert!(fresh.contains("converge add --cmd") && fresh.contains("--help"), "{fresh}");
    assert!(!home.home().exists(), "and starts nothing");
    home.add(&["job", "--manual", "--cmd", "true"]);
    let known = home.run::<&str>(&[]).done().out;
    assert!(
        known.contains("You have 1 job, 0 running.") && known.contains("converge explain NAME"),
        "{known}"
    );
}

#[test]
fn completions_are_printed_for_each_shell() {
    let home = Home::new();
    for (shell, words) in
        [("bash", "_converge()"), ("zsh", "#compdef converge"), ("fish", "complete -c converge")]
    {
        assert!(home.run(&["completions", shell]).done().out.contains(words), "{shell}");
    }
    home.run(&["completions", "dos"]).refused(&["dos"]);
    assert!(!home.home().exists());
}
