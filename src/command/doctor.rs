//! `doctor`: what is wrong, and how to mend it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::page::{Page, Tone};
use crate::command::tell::Tell;
use crate::command::{Access, Cli, Command, Context, Render, room};
use crate::core::refusal::Refusal;
use crate::store::{events, health};

/// Looks at everything that can go wrong.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct Doctor {
    /// Every row and every page of the database too
    #[arg(long)]
    pub deep: bool,
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Examined {
    /// Whether nothing is bad.
    pub ok: bool,
    /// Each thing that was looked at.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub subject: String,
    /// How it is.
    pub state: Health,
    /// What was seen.
    pub message: String,
    /// How to mend it.
    pub fix: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Good,
    /// Not as it should be, but nothing is lost.
    Warn,
    /// Broken.
    Bad,
}

impl Finding {
    /// Something that is as it should be.
    pub fn good(subject: &str, message: impl Into<String>) -> Self {
        Self { subject: subject.to_owned(), state: Health::Good, message: message.into(), fix: None }
    }

    /// Something that somebody should look at.
    pub fn warn(subject: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            subject: subject.to_owned(),
            state: Health::Warn,
            message: message.into(),
            fix: Some(fix.into()),
        }
    }

    /// Something that is broken.
    pub fn bad(subject: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            subject: subject.to_owned(),
            state: Health::Bad,
            message: message.into(),
            fix: Some(fix.into()),
        }
    }
}

impl Examined {
    /// What these findings add up to.
    pub fn of(findings: Vec<Finding>) -> Self {
        Self { ok: findings.iter().all(|finding| finding.state != Health::Bad), findings }
    }
}

impl Command for Doctor {
    const NAME: &'static str = "doctor";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("doctor")];
    type Reply = Examined;

    fn run(self, cx: &Context<'_>) -> Result<Examined, Refusal> {
        let pid = std::process::id();
        let mut findings = vec![
            Finding::good("daemon", format!("answers, pid {pid}")),
            Finding::good("lock", format!("{}, held by it", cx.house.places.lock.display())),
        ];
        findings.extend((cx.house.settings)().finding());
        findings.extend(crate::command::examine::places(&cx.house.places));
        let problems = cx.read(|tx| health::problems(tx, self.deep.into()))?;
        findings.extend(crate::command::examine::store(problems, self.deep.into()));
        let newest = cx.read(events::newest_at)?.unwrap_or(cx.house.started_at);
        findings.extend(crate::command::examine::clock(newest, cx.now()));
        findings.extend(crate::command::examine::leftovers(cx)?);
        findings.extend(crate::command::whereabouts::findings(cx));
        findings.extend(crate::command::drift::seen(cx)?);
        Ok(Examined::of(findings))
    }
}

/// What was looked at, as a model reads it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldExamined {
    ok: bool,
    good: Vec<String>,
    findings: Vec<ToldFinding>,
}

/// One thing that is not as it should be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldFinding {
    subject: String,
    state: Health,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Tell for Examined {
    type Told = ToldExamined;

    fn tell(self, cx: &Context<'_>) -> ToldExamined {
        let (good, bad): (Vec<Finding>, Vec<Finding>) =
            self.findings.into_iter().partition(|finding| finding.state == Health::Good);
        let told = bad.into_iter().map(|Finding { subject, state, message, fix }| ToldFinding {
            subject,
            state,
            message: room::head(&cx.say(&message), 300, None),
            fix: fix.map(|fix| room::head(&cx.say(&fix), 300, None)),
        });
        let (findings, _) = cx.room().rows(told);
        ToldExamined {
            ok: self.ok,
            good: good.into_iter().map(|finding| finding.subject).collect(),
            findings,
        }
    }
}

impl Render for Examined {
    fn render(&self, page: &mut Page) {
        for finding in &self.findings {
            let (word, tone) = match finding.state {
                Health::Good => ("ok  ", Tone::Good),
                Health::Warn => ("warn", Tone::Busy),
                Health::Bad => ("BAD ", Tone::Bad),
            };
            page.line(format!("{}  {:<10} {}", page.tone(word, tone), finding.subject, finding.message));
            if let Some(fix) = &finding.fix {
                page.line(format!("                 {} {fix}", page.tone("fix:", Tone::Strong)));
            }
        }
    }
}
