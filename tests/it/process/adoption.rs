//! Nothing is lost and nothing runs twice when the daemon or a shim goes away.

use converge::core::process::Cut;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;

/// Waits in the process until the test lets it go on.
fn gated(world: &World, rest: &str) -> (Launch, PathBuf) {
    let gate = world.folder.path().join(format!("gate-{}", fresh_key()));
    let line = format!("echo up; until [ -e '{}' ]; do sleep 0.01; done; {rest}", gate.display());
    (shell(&line), gate)
}

#[test]
fn a_process_outlives_its_supervisor_and_is_adopted_with_its_true_exit_code() {
    let mut world = World::new();
    let (launch, gate) = gated(&world, "echo end; exit 42");
    let key = world.launch(&launch);
    world.wait_for_output(key, "up");
    world.come_back();
    world.supervisor().look(key);
    world.started(key);
    world.supervisor().look(key);
    std::fs::write(gate, "").unwrap();
    let outcome = world.ended(key);
    assert_eq!((outcome.ending, outcome.cut), (exited(42), None));
    assert_eq!(world.stdout(key), "up\nend\n");
    assert_eq!(world.reports.try_recv().ok(), None, "one look is answered once");
}

#[test]
fn an_end_without_a_supervisor_is_found() {
    let mut world = World::new();
    let (launch, gate) = gated(&world, "exit 42");
    let key = world.launch(&launch);
    world.wait_for_output(key, "up");
    world.leave();
    std::fs::write(gate, "").unwrap();
    until(|| world.dir(key).outcome().unwrap().is_some());
    world.come_back();
    world.supervisor().look(key);
    assert_eq!(world.ended(key).ending, exited(42));
}

#[test]
fn an_adopted_process_is_stopped() {
    let mut world = World::new();
    let (launch, _) = gated(&world, "");
    let key = world.launch(&launch);
    world.wait_for_output(key, "up");
    world.come_back();
    world.supervisor().look(key);
    world.supervisor().stop(key);
    assert_eq!(world.ended(key).cut, Some(Cut::Told));
    assert_eq!(alive(key), Vec::<i32>::new());
}

#[test]
fn what_never_started_never_will() {
    let world = World::new();
    let launch = argv(&["touch", "/should-not-run"]);
    let key = launch.key;
    world.supervisor().look(key);
    assert_eq!(world.report(), Report::Revoked { key });
    // A shim that comes late finds the mark.
    world.launch(&launch);
    assert_eq!(world.report(), Report::Revoked { key });
    assert!(!world.dir(key).file("started").exists());
}

#[test]
fn what_is_revoked_does_not_run_even_when_its_run_directory_was_lost() {
    let mut world = World::new();
    let key = world.launch(&shell("sleep 60 & echo up; wait"));
    world.wait_for_output(key, "up");
    world.leave();
    std::fs::remove_dir_all(world.dir(key).path()).unwrap();
    world.come_back();
    world.supervisor().look(key);
    assert_eq!(world.report(), Report::Revoked { key });
    assert_eq!(alive(key), [0; 0]);
}

#[test]
fn a_stop_before_the_start_revokes() {
    let world = World::new();
    // All workers are busy with launches before it, so that it is still queued.
    let before: Vec<ProcessKey> = (0..16).map(|_| world.launch(&argv(&["true"]))).collect();
    let key = world.launch(&argv(&["sleep", "60"]));
    world.supervisor().stop(key);
    let mut ended = 0;
    let mut revoked = false;
    while ended < before.len() || !revoked {
        match world.report() {
            Report::Started { key: started, .. } => assert_ne!(started, key),
            Report::Ended { key: ended_key, .. } => {
                assert_ne!(ended_key, key);
                ended += 1;
            }
            report => {
                assert_eq!(report, Report::Revoked { key });
                revoked = true;
            }
        }
    }
}

#[test]
fn a_stop_at_any_moment_ends_or_revokes() {
    let world = World::new();
    for delay_us in (0..4000).step_by(250) {
        let key = world.launch(&argv(&["sleep", "60"]));
        let at = Instant::now() + Duration::from_micros(delay_us);
        while Instant::now() < at {
            std::hint::spin_loop();
        }
        world.supervisor().stop(key);
        loop {
            match world.report() {
                Report::Started { .. } => {}
                Report::Ended { outcome, .. } => {
                    assert_eq!(outcome.cut, Some(Cut::Told));
                    break;
                }
                report => {
                    assert_eq!(report, Report::Revoked { key });
                    break;
                }
            }
        }
        assert_eq!(alive(key), Vec::<i32>::new());
    }
}

#[test]
fn a_stop_of_the_unknown_does_nothing() {
    let world = World::new();
    world.supervisor().stop(fresh_key());
    assert_eq!(world.run(&argv(&["true"])).ending, exited(0));
}

const ESCAPEES: &str =
    "(setsid sleep 60 &); (setsid sh -c 'trap \"\" TERM; sleep 60; sleep 60' &); echo up; sleep 60";

#[test]
fn a_killed_shim_means_lost_and_nothing_is_left() {
    let world = World::new();
    let key = world.launch(&shell(ESCAPEES));
    world.started(key);
    world.wait_for_output(key, "up");
    kill(Pid::from_raw(world.shim(key)), Signal::SIGKILL).unwrap();
    assert_eq!(world.report(), Report::Lost { key });
    assert_eq!(alive(key), Vec::<i32>::new());
}

#[test]
fn a_shim_killed_without_a_supervisor_means_lost_as_well() {
    let mut world = World::new();
    let key = world.launch(&shell(ESCAPEES));
    world.wait_for_output(key, "up");
    world.leave();
    kill(Pid::from_raw(world.shim(key)), Signal::SIGKILL).unwrap();
    world.come_back();
    world.supervisor().look(key);
    // It may be seen while it still dies.
    let report = match world.report() {
        Report::Started { .. } => world.report(),
        report => report,
    };
    assert_eq!(report, Report::Lost { key });
    assert_eq!(alive(key), Vec::<i32>::new());
}

#[test]
fn a_killed_adopted_shim_means_lost() {
    let mut world = World::new();
    let key = world.launch(&shell(ESCAPEES));
    world.wait_for_output(key, "up");
    world.come_back();
    world.supervisor().look(key);
    world.started(key);
    kill(Pid::from_raw(world.shim(key)), Signal::SIGKILL).unwrap();
    assert_eq!(world.report(), Report::Lost { key });
    assert_eq!(alive(key), Vec::<i32>::new());
}

/// The shim of `dir` by its arguments, which show before it has written anything.
fn shim_of(dir: &RunDir) -> Option<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(|pid| {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments == format!("converge\0shim\0{}\0", dir.path().display()).into_bytes()
    })
}

#[test]
fn a_shim_may_be_killed_at_any_moment_of_its_life() {
    let mut world = World::new();
    for delay_us in (0..3000).step_by(150) {
        let key = world.launch(&shell("(setsid sleep 60 &); exit 3"));
        until(|| shim_of(&world.dir(key)).is_some() || world.dir(key).outcome().unwrap().is_some());
        let at = Instant::now() + Duration::from_micros(delay_us);
        while Instant::now() < at {
            std::hint::spin_loop();
        }
        if let Some(pid) = shim_of(&world.dir(key)) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        // Every other time nobody was watching.
        if delay_us % 300 == 0 {
            world.come_back();
            world.supervisor().look(key);
        }
        let last = loop {
            match world.report() {
                Report::Started { .. } => {}
                last => break last,
            }
        };
        match &last {
            Report::Ended { outcome, .. } => assert_eq!(outcome.ending, exited(3)),
            _ => assert!(last == Report::Lost { key } || last == Report::Revoked { key }, "{last:?}"),
        }
        assert_eq!(alive(key), Vec::<i32>::new());
        // What was decided stays decided.
        world.supervisor().look(key);
        assert_eq!(world.report(), last);
    }
}

#[test]
fn a_file_cut_short_is_a_start_all_the_same() {
    for (name, text) in [("started", "{\"key\":"), ("outcome", ""), ("outcome", "{}\n{\"started_at\":")] {
        let world = World::new();
        let key = fresh_key();
        std::fs::create_dir_all(world.dir(key).path()).unwrap();
        std::fs::write(world.dir(key).file(name), text).unwrap();
        world.supervisor().look(key);
        assert_eq!(world.report(), Report::Lost { key }, "{name}: {text}");
    }
}

#[test]
fn many_at_once_all_run() {
    let world = World::new();
    let mut keys: std::collections::BTreeSet<ProcessKey> =
        (0..100).map(|_| world.launch(&argv(&["true"]))).collect();
    while !keys.is_empty() {
        match world.report() {
            Report::Started { .. } => {}
            Report::Ended { key, outcome } => {
                assert_eq!(outcome.ending, exited(0));
                assert!(keys.remove(&key));
            }
            report => panic!("{report:?}"),
        }
    }
}
