//! Order: the calls of one connection, which are answered beside each other, see each other's writes.
//!
//! A write enters the order of all writes after every earlier write of its connection has; whatever looks at
//! the store does so after every earlier write was done. So a client that sends one call after another
//! without waiting gets the answers that it would have got by waiting.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::command::Access;

/// The writes of one connection, counted as they come.
#[derive(Debug)]
pub(super) struct Order {
    writes: Mutex<u64>,
    entered: Counter,
    done: Counter,
}

/// The place of one call. While it lives, the call is under way.
#[derive(Debug)]
pub(super) struct Turn {
    order: Arc<Order>,
    /// How many writes came before it.
    number: u64,
    access: Access,
}

/// How many of the writes, from the first on, are past a point.
#[derive(Debug)]
struct Counter {
    past: watch::Sender<u64>,
    /// Those past it before their turn.
    early: Mutex<BTreeSet<u64>>,
}

impl Order {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { writes: Mutex::new(0), entered: Counter::new(), done: Counter::new() })
    }

    /// The place of the call that comes now.
    pub(super) fn turn(self: &Arc<Self>, access: Access) -> Turn {
        let mut writes = self.writes.lock().expect("a number is added to");
        let number = *writes;
        *writes += u64::from(access.is_write());
        Turn { order: Arc::clone(self), number, access }
    }
}

impl Turn {
    /// Waits until the call may begin.
    pub(super) async fn come(&self) {
        match self.access {
            Access::Create => self.order.entered.reached(self.number).await,
            Access::Read | Access::Write => self.order.done.reached(self.number).await,
        }
    }

    /// Notes that the write has its place in the order of all writes.
    pub(super) fn enter(&self) {
        if self.access.is_write() {
            self.order.entered.pass(self.number);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.access.is_write() {
            self.order.entered.pass(self.number);
            self.order.done.pass(self.number);
        }
    }
}

impl Counter {
    fn new() -> Self {
        Self { past: watch::Sender::new(0), early: Mutex::default() }
    }

    fn pass(&self, number: u64) {
        let mut early = self.early.lock().expect("numbers are added");
        let past = *self.past.borrow();
        if number < past || !early.insert(number) {
            return;
        }
        let mut next = past;
        while early.remove(&next) {
            next += 1;
        }
        if next > past {
            self.past.send_replace(next);
        }
    }

    async fn reached(&self, number: u64) {
        let reached = self.past.subscribe().wait_for(|past| *past >= number).await.map(drop);
        reached.expect("the counter lives as long as its turns");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a call may begin now.
    fn may_begin(turn: &Turn) -> bool {
        use std::future::Future;
        use std::pin::pin;
        use std::task::{Context, Poll, Waker};
        pin!(turn.come()).poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    #[test]
    fn whoever_looks_waits_for_every_earlier_write() {
        let order = Order::new();
        let [first, second] = [Access::Write, Access::Create].map(|access| order.turn(access));
        let read = order.turn(Access::Read);
        assert!(may_begin(&first) && !may_begin(&second) && !may_begin(&read));
        first.enter();
        assert!(may_begin(&second) && !may_begin(&read));
        drop(second);
        assert!(!may_begin(&read), "the first is not done");
        drop(first);
        assert!(may_begin(&read));
    }

    #[test]
    fn a_write_that_looks_first_waits_for_the_end_of_those_before() {
        let order = Order::new();
        let [add, update] = [Access::Create, Access::Write].map(|access| order.turn(access));
        add.enter();
        assert!(!may_begin(&update));
        drop(add);
        assert!(may_begin(&update));
    }

    #[test]
    fn what_only_looks_holds_nobody_up() {
        let order = Order::new();
        let read = order.turn(Access::Read);
        assert!(may_begin(&order.turn(Access::Write)));
        drop(read);
    }
}
