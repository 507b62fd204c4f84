//! Bounds hold, and what breaks one is ended with the reason.

use converge::core::process::Cut;
use converge::engine::ports::Progress;

use super::*;

fn bounded(mut launch: Launch, change: impl FnOnce(&mut Bounds)) -> Launch {
    change(&mut launch.control.bounds);
    launch
}

#[track_caller]
fn check(launch: &Launch, ending: &Ending, cut: Cut) -> Outcome {
    let world = World::new();
    let outcome = world.run(launch);
    assert_eq!((&outcome.ending, outcome.cut), (ending, Some(cut)));
    assert_eq!(alive(launch.key), Vec::<i32>::new());
    outcome
}

const TERMINATED: Ending = Ending::Signalled(15);

#[test]
fn the_wall_limit_ends_what_takes_too_long() {
    let launch = bounded(argv(&["sleep", "60"]), |bounds| bounds.wall = Some(Span::from_ms(100)));
    check(&launch, &TERMINATED, Cut::Wall);
}

#[test]
fn the_idle_limit_ends_what_falls_silent_and_nothing_else() {
    // It writes for longer than the limit, with pauses that a slow machine does not stretch to it.
    let line = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done; exec sleep 60";
    let launch = bounded(shell(line), |bounds| bounds.idle = Some(Span::from_secs(2)));
    let outcome = check(&launch, &TERMINATED, Cut::Idle);
    assert_eq!(outcome.stdout_bytes, 12);
}

/// A launch whose idle limit is a second without a line of progress, and `tools` while a tool is at work.
fn progressing(line: &str, tools: Option<Span>) -> Launch {
    let progress = Progress {
        lines: vec!["step".to_owned()],
        tool_starts: vec!["begin".to_owned()],
        tool_ends: vec!["end".to_owned()],
        tool_idle: tools,
    };
    let launch = Launch { progress: Some(progress), ..shell(line) };
    bounded(launch, |bounds| bounds.idle = Some(Span::from_secs(1)))
}

#[test]
fn bytes_that_are_no_progress_do_not_save_a_run() {
    // Neither lines of another kind, nor lines of progress on the wrong stream.
    let line = "while :; do echo thinking; echo step >&2; sleep 0.05; done";
    let outcome = check(&progressing(line, Some(Span::from_secs(60))), &TERMINATED, Cut::Idle);
    assert!(outcome.stdout_bytes > 0 && outcome.stderr_bytes > 0);
}

#[test]
fn lines_of_progress_save_a_run_also_when_they_come_in_pieces() {
    let line = "for i in 1 2 3 4 5; do printf 'st'; sleep 0.4; printf 'ep\\n'; done; exit 3";
    let outcome = World::new().run(&progressing(line, None));
    assert_eq!((outcome.ending, outcome.cut), (exited(3), None));
}

#[test]
fn a_tool_at_work_has_its_own_allowance() {
    let quiet = "echo begin; echo begin; echo end; sleep 2; echo end; exit 3";
    let outcome = World::new().run(&progressing(quiet, Some(Span::from_secs(60))));
    assert_eq!((outcome.ending, outcome.cut), (exited(3), None));
    // Without an allowance of its own, the usual one is for tools too.
    check(&progressing("echo begin; exec sleep 60", None), &TERMINATED, Cut::Idle);
    // It has an end too, and so has the time after the last tool.
    check(&progressing("echo begin; exec sleep 60", Some(Span::from_ms(100))), &TERMINATED, Cut::Idle);
    let over = progressing("echo begin; echo end; exec sleep 60", Some(Span::from_secs(60)));
    check(&over, &TERMINATED, Cut::Idle);
}

#[test]
fn the_memory_limit_is_that_of_the_whole_tree() {
    // Two processes that are each within the bound.
    let hold = "x=$(head -c 24000000 /dev/zero | tr '\\0' x); sleep 60; :";
    let line = format!("({hold}) & ({hold}) & wait");
    let launch = bounded(shell(&line), |bounds| bounds.memory_bytes = Some(45_000_000));
    check(&launch, &TERMINATED, Cut::Memory);
}

#[test]
fn a_flood_is_kept_up_to_its_bound() {
    let launch = bounded(argv(&["yes"]), |bounds| bounds.output_bytes = 1_000_001);
    let world = World::new();
    let outcome = world.run(&launch);
    assert_eq!((outcome.cut, outcome.stdout_bytes), (Some(Cut::Output), 1_000_001));
    assert_eq!(world.stdout(launch.key), format!("{}y", "y\n".repeat(500_000)));
    assert_eq!(alive(launch.key), Vec::<i32>::new());
}

#[test]
fn output_of_exactly_the_bound_is_allowed() {
    let launch = bounded(shell("printf 12345"), |bounds| bounds.output_bytes = 5);
    let outcome = World::new().run(&launch);
    assert_eq!((outcome.ending, outcome.cut, outcome.stdout_bytes), (exited(0), None, 5));
}

#[test]
fn what_ignores_term_is_killed_after_the_grace() {
    let line = "trap '' TERM; echo deaf; while :; do sleep 60; done";
    let world = World::new();
    let launch = shell(line);
    let key = world.launch(&launch);
    world.wait_for_output(key, "deaf");
    world.supervisor().stop(key);
    let outcome = world.ended(key);
    assert_eq!((outcome.ending, outcome.cut), (Ending::Signalled(9), Some(Cut::Told)));
    assert_eq!(alive(key), Vec::<i32>::new());
}

#[test]
fn what_obeys_term_may_tidy_up() {
    let world = World::new();
    let launch =
        bounded(shell("trap 'echo tidy; exit 5' TERM; echo up; while :; do sleep 0.01; done"), |bounds| {
            bounds.grace = Span::from_secs(30);
        });
    let key = world.launch(&launch);
    world.wait_for_output(key, "up");
    world.supervisor().stop(key);
    let outcome = world.ended(key);
    assert_eq!((outcome.ending, outcome.cut), (exited(5), Some(Cut::Told)));
    assert_eq!(world.stdout(key), "up\ntidy\n");
}

#[test]
fn a_stopped_process_is_ended_too() {
    let world = World::new();
    let launch =
        bounded(shell("echo up; kill -STOP $$; exit 4"), |bounds| bounds.grace = Span::from_secs(30));
    let key = world.launch(&launch);
    world.wait_for_output(key, "up");
    world.supervisor().stop(key);
    assert_eq!(world.ended(key).cut, Some(Cut::Told));
}

/// `launch` under other bounds.
fn changed(launch: &Launch, change: impl FnOnce(&mut Bounds)) -> Control {
    bounded(launch.clone(), change).control
}

#[test]
fn bounds_change_while_the_process_runs() {
    let world = World::new();
    let launch = shell("echo up; exec sleep 60");
    let key = world.launch(&launch);
    world.wait_for_output(key, "up");
    // The newest word holds, whatever came before it.
    world.supervisor().control(key, changed(&launch, |bounds| bounds.wall = None));
    world.supervisor().control(key, changed(&launch, |bounds| bounds.idle = Some(Span::from_ms(100))));
    assert_eq!(world.ended(key).cut, Some(Cut::Idle));
}

#[test]
fn a_wall_limit_that_has_passed_ends_the_process_at_once() {
    let world = World::new();
    let launch = shell("echo up; exec sleep 60");
    let key = world.launch(&launch);
    world.wait_for_output(key, "up");
    world.supervisor().control(key, changed(&launch, |bounds| bounds.wall = Some(Span::from_ms(1))));
    assert_eq!(world.ended(key).cut, Some(Cut::Wall));
}

#[test]
fn an_instant_ends_the_process_whatever_its_wall_limit() {
    let world = World::new();
    let launch = shell("echo up; exec sleep 60");
    let key = world.launch(&launch);
    world.wait_for_output(key, "up");
    let cut_at = Some("2026-01-01T00:00:00Z".parse().unwrap());
    world.supervisor().control(key, Control { cut_at, ..launch.control.clone() });
    assert_eq!(world.ended(key).cut, Some(Cut::Wall));
}

#[test]
fn bounds_that_come_before_the_process_are_those_it_starts_under() {
    let world = World::new();
    let launch = argv(&["sleep", "60"]);
    world.launch(&launch);
    world.supervisor().control(launch.key, changed(&launch, |bounds| bounds.wall = Some(Span::from_ms(50))));
    assert_eq!(world.ended(launch.key).cut, Some(Cut::Wall));
}

#[test]
fn a_process_that_was_adopted_hears_of_new_bounds_too() {
    let mut world = World::new();
    let launch = shell("echo up; exec sleep 60");
    let key = world.launch(&launch);
    world.wait_for_output(key, "up");
    world.come_back();
    world.supervisor().look(key);
    world.supervisor().control(key, changed(&launch, |bounds| bounds.wall = Some(Span::from_ms(1))));
    assert_eq!(world.ended(key).cut, Some(Cut::Wall));
}

#[test]
fn bounds_that_cannot_be_read_leave_those_before_in_force_and_it_is_said() {
    let world = World::new();
    let launch = bounded(shell("echo up; exec sleep 60"), |bounds| bounds.wall = Some(Span::from_secs(2)));
    let key = world.launch(&launch);
    world.wait_for_output(key, "up");
    std::fs::write(world.dir(key).file("control"), "{\"bounds\": 5}").unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(world.shim(key)), nix::sys::signal::Signal::SIGUSR1)
        .unwrap();
    let outcome = world.ended(key);
    assert_eq!(outcome.cut, Some(Cut::Wall));
    assert!(outcome.unread.is_some_and(|why| why.contains("`control` cannot be read")));
}
