//! A line: work of one kind, done in order by a few threads that come and go with it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::engine::vital;

/// What is done with each piece of work.
type Worker<T> = Arc<dyn Fn(T) + Send + Sync>;

/// Work that waits, and the threads that do it.
pub(super) struct Line<T> {
    name: &'static str,
    threads_max: usize,
    worker: Worker<T>,
    state: Arc<Mutex<State<T>>>,
}

struct State<T> {
    waiting: VecDeque<T>,
    threads: usize,
}

/// Another end of the same line.
impl<T> Clone for Line<T> {
    fn clone(&self) -> Self {
        let Self { name, threads_max, worker, state } = self;
        Self { name, threads_max: *threads_max, worker: Arc::clone(worker), state: Arc::clone(state) }
    }
}

impl<T: Send + 'static> Line<T> {
    /// An empty line; `worker` is called on its threads.
    pub(super) fn new(name: &'static str, threads_max: usize, worker: Worker<T>) -> Self {
        let state = Arc::new(Mutex::new(State { waiting: VecDeque::new(), threads: 0 }));
        Self { name, threads_max, worker, state }
    }

    /// Adds work at the end, and a thread for it unless there are enough.
    pub(super) fn push(&self, work: T) {
        let mut state = lock(&self.state);
        state.waiting.push_back(work);
        if state.threads == self.threads_max {
            return;
        }
        let (worker, shared) = (Arc::clone(&self.worker), Arc::clone(&self.state));
        match vital::spawn(self.name, move || drain(&shared, worker.as_ref())) {
            Ok(_) => state.threads += 1,
            // It stays in line, for a thread that is there or for the next one.
            Err(error) => tracing::error!(%error, thread = self.name, "cannot start a thread"),
        }
    }
}

/// Works until nothing waits; the last look and the leave are one, so that no work is left behind.
fn drain<T>(state: &Mutex<State<T>>, worker: &dyn Fn(T)) {
    loop {
        let next = {
            let mut state = lock(state);
            let next = state.waiting.pop_front();
            state.threads -= usize::from(next.is_none());
            next
        };
        match next {
            Some(work) => worker(work),
            None => return,
        }
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().expect("nobody panics with the line in hand")
}
