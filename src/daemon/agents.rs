//! The agents of a daemon: those that come along, with the user's files over them as they are by now.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::agent::account::{self, Choice};
use crate::agent::catalogue::Catalogue;
use crate::agent::manifest::Manifest;
use crate::agent::price::Prices;
use crate::command::agent_files;
use crate::core::account::Accounts;
use crate::core::refusal::Problem;
use crate::engine::ports::Agents;

/// Looks agents up, and reads the user's files again only when one of them has changed.
pub(super) struct Shelf {
    home: PathBuf,
    accounts: Accounts,
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    /// The files as they were when they were read.
    mark: Vec<(PathBuf, Option<SystemTime>)>,
    catalogue: Catalogue,
    prices: Arc<Prices>,
}

impl Shelf {
    /// The agents of this home, with what is said of their accounts; none is read before it is asked for.
    pub(super) fn new(home: PathBuf, accounts: Accounts) -> Self {
        Self { home, accounts, kept: Mutex::default() }
    }

    fn with<T>(&self, read: impl FnOnce(&Kept) -> T) -> T {
        let mut kept = self.kept.lock().expect("nobody panics with the agents in hand");
        let mark = agent_files::mark(&self.home);
        let kept = match &mut *kept {
            Some(kept) if kept.mark == mark => kept,
            stale => {
                let (prices, mistakes) = agent_files::prices(&self.home);
                for mistake in mistakes {
                    tracing::warn!(
                        mistake,
                        "the prices of this home are refused, those that come along hold"
                    );
                }
                let catalogue = agent_files::catalogue(&self.home);
                stale.insert(Kept { mark, catalogue, prices: Arc::new(prices) })
            }
        };
        read(kept)
    }
}

impl Agents for Shelf {
    fn find(&self, name: &str) -> Option<Arc<Manifest>> {
        self.with(|kept| Agents::find(&kept.catalogue, name))
    }

    fn prices(&self) -> Arc<Prices> {
        self.with(|kept| Arc::clone(&kept.prices))
    }

    fn account(&self, name: &str, manifest: &Manifest, home: &str) -> Result<Choice, Problem> {
        account::choose(name, manifest, &self.accounts, home)
    }
}
