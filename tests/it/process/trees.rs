//! The tree ends with its main process, whatever it has become.

use super::*;

#[track_caller]
fn check(line: &str, stdout: &str) {
    let world = World::new();
    let launch = shell(line);
    let outcome = world.run(&launch);
    assert_eq!((outcome.ending, outcome.cut), (exited(3), None), "{line}");
    assert_eq!(world.stdout(launch.key), stdout, "{line}");
    assert_eq!(alive(launch.key), Vec::<i32>::new(), "{line}");
}

#[test]
fn children_in_the_background_end_with_the_main_process() {
    check("sleep 60 >/dev/null 2>&1 & echo gone; exit 3", "gone\n");
}

#[test]
fn a_daemon_of_its_own_session_ends_with_the_main_process() {
    // Twice forked, own session, and the pipes kept or closed.
    check("(setsid sleep 60 &) ; echo kept; exit 3", "kept\n");
    check("(setsid sleep 60 </dev/null >/dev/null 2>&1 &) ; echo closed; exit 3", "closed\n");
}

#[test]
fn a_daemon_that_ignores_term_ends_with_the_main_process() {
    let daemon = "trap \"\" TERM; echo deaf; while :; do sleep 60; done";
    check(&format!("(setsid sh -c '{daemon}' &) ; sleep 0.1; exit 3"), "deaf\n");
}

#[test]
fn late_output_of_a_child_is_still_taken() {
    check("(sleep 0.2; echo late) & echo early; exit 3", "early\nlate\n");
}

#[test]
fn a_process_that_closes_its_output_runs_on() {
    check("exec >&- 2>&-; sleep 0.1; exit 3", "");
}

#[test]
fn a_process_that_forks_without_end_is_ended() {
    let world = World::new();
    // Each generation starts the next and is gone: no scan sees the same process twice.
    let chain = "chain() { sleep 0.01; chain & }";
    let launch = shell(&format!("trap '' TERM; {chain}; chain; exec sleep 60"));
    let key = world.launch(&launch);
    world.started(key);
    until(|| alive(key).len() > 1);
    world.supervisor().stop(key);
    world.ended(key);
    assert_eq!(alive(key), Vec::<i32>::new());
}

#[test]
fn a_tree_that_obeys_is_not_waited_for() {
    let world = World::new();
    // Each shell ends before its child, which is somebody else's by then.
    let mut launch = shell("sh -c 'sh -c \"sleep 300; :\"; :'; :");
    launch.control.bounds.wall = Some(Span::from_ms(100));
    launch.control.bounds.grace = Span::from_secs(20);
    for _ in 0..8 {
        launch.key = fresh_key();
        let outcome = world.run(&launch);
        let took = Span::between(outcome.started_at, outcome.ended_at);
        assert!(took < Span::from_secs(5), "{took}");
    }
}
