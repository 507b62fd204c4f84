//! Courses: how a task of agents goes on from attempt to attempt.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::assignment::{Assignment, Candidate, Session};
use crate::core::id::TaskId;
use crate::core::reading::{Conversation, Reading, Spent};

/// How a task of agents goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Course {
    /// Which of the chain is at it.
    pub place: u16,
    /// The conversation that the next attempt goes on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Conversation>,
    /// Whether it goes on in a copy of that.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forks: bool,
    /// The conversation that the newest attempt was in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<Conversation>,
    /// How often in a row its service could not serve it.
    pub setbacks: u16,
    /// Since when it waits for a quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_since: Option<Timestamp>,
    /// When the time of its job is over, as it was at the newest claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What all its attempts used.
    #[serde(skip_serializing_if = "Spent::is_nothing")]
    pub spent: Spent,
    /// What its job had used before it.
    #[serde(skip_serializing_if = "Spent::is_nothing")]
    pub before: Spent,
    /// Why it goes on otherwise than was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Course {
    /// That of a new run, after runs that left `conversation`.
    ///
    /// `before` is what its job has used until then.
    pub fn begin(assignment: &Assignment, conversation: Option<&Conversation>, before: Spent) -> Self {
        let kept = conversation.cloned();
        let (from, forks) = match &assignment.session {
            Session::Fresh => (None, false),
            Session::Resume => (kept, false),
            Session::Fork => (kept, true),
            Session::Auto => (kept.filter(|kept| !kept.is_nearly_full()), false),
            Session::Mine { agent, id } => match kept {
                Some(kept) => (Some(kept), false),
                None => (Some(Conversation::named(agent, id)), true),
            },
        };
        Self { from, forks, before, ..Self::default() }
    }

    /// Whether nothing has come of it yet.
    pub fn is_new(&self) -> bool {
        *self == Self::default()
    }

    /// Who is at it.
    pub fn candidate<'a>(&self, assignment: &'a Assignment) -> &'a Candidate {
        let place = usize::from(self.place).min(assignment.chain.len() - 1);
        &assignment.chain[place]
    }

    /// The conversation that an attempt of `candidate` goes on with: another agent cannot, nor another account.
    pub fn continued(&self, candidate: &Candidate) -> Option<&Conversation> {
        let is_its =
            |kept: &&Conversation| kept.agent == candidate.agent && kept.account == candidate.account;
        self.from.as_ref().filter(is_its)
    }

    /// Takes what an attempt used and which conversation it was in.
    pub(super) fn read(&mut self, reading: &Reading) {
        self.spent = self.spent.and(reading);
        if reading.conversation.is_some() {
            self.latest.clone_from(&reading.conversation);
        }
    }

    /// The course of a task whose job has another definition by now.
    pub(super) fn rebound(&self, assignment: Option<&Assignment>) -> Self {
        let begun = assignment.map(|assignment| {
            Self::begin(assignment, self.latest.as_ref().or(self.from.as_ref()), self.before)
        });
        Self { spent: self.spent, latest: self.latest.clone(), ..begun.unwrap_or_default() }
    }

    /// What its job and it have used together.
    pub(super) fn spent_in_all(&self) -> Spent {
        self.before.plus(self.spent)
    }

    /// The next attempt, which goes on with what the newest said unless each is to begin anew.
    pub(super) fn next(&self, assignment: &Assignment) -> Self {
        let goes_on = assignment.session != Session::Fresh;
        let next = Self { setbacks: 0, quota_since: None, ..self.clone() };
        match self.latest.clone().filter(|_| goes_on) {
            Some(latest) => Self { from: Some(latest), forks: false, ..next },
            None => next,
        }
    }
}

impl Wait {
    /// Whether it ends when something else does, and not at an instant.
    pub fn is_for_others(&self) -> bool {
        match self {
            Self::Tree { .. } | Self::Account { .. } => true,
            Self::Quota { .. } => false,
        }
    }
}

impl Conversation {
    /// One of which nothing is known but its name.
    pub fn named(agent: &str, id: &str) -> Self {
        Self {
            agent: agent.to_owned(),
            account: None,
            id: id.to_owned(),
            tokens: None,
            cost: None,
            context: None,
            window: None,
        }
    }
}

/// What keeps a task from starting or from going on, and passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// An account has used up what it may.
    Quota {
        /// Whose.
        purse: String,
        /// Whether its agent stated when it is there again; otherwise that is a guess.
        is_stated: bool,
    },
    /// Another run works in the same tree.
    Tree {
        /// Which.
        holder: TaskId,
    },
    /// An account has as many runs as it may.
    Account {
        /// Which.
        purse: String,
    },
}

/// What else goes on that may keep a task of agents from starting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// The accounts that have used up what they may.
    pub quotas: BTreeMap<String, Gate>,
    /// The run that works in its tree.
    pub tree: Option<TaskId>,
    /// The accounts that have as many runs as they may.
    pub busy: BTreeSet<String>,
}

/// When an account may work again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Not before this.
    pub until: Timestamp,
    /// Whether its agent stated that.
    pub is_stated: bool,
}
