//! `show_agent`: how one agent CLI is driven and understood, and what of it nobody has seen at work.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agent::catalogue::{Catalogue, Known, Origin};
use crate::agent::document::Scalar;
use crate::agent::invocation::{Invocation, Session};
use crate::agent::manifest::{Manifest, PROFILES, Prompt};
use crate::agent::output::{Counts, EventRule, Failure, Form};
use crate::agent::place::Place;
use crate::agent::register::{Registration, Text};
use crate::agent::take::Take;
use crate::command::list_agents::{AgentRow, RefusedFile};
use crate::command::page::{Page, Tone};
use crate::command::schema::Object;
use crate::command::tell::{self, Tell};
use crate::command::{Access, Cli, Command, Context, Render, agent_files};
use crate::core::login::LoginQuestion;
use crate::core::nearest::nearest;
use crate::core::refusal::{Code, Refusal};

/// Shows an agent.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct ShowAgent {
    /// The agent's name
    pub agent: String,
    /// The text of its manifest alone: saved as agents/NAME.toml in Converge's home, it is yours to change
    #[arg(long)]
    pub toml: bool,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentShown {
    /// Its name, and whether it is here.
    #[serde(flatten)]
    pub row: AgentRow,
    /// How it is given the prompt.
    pub prompt: String,
    /// The words of its command line, with slots.
    pub arguments: Vec<String>,
    /// What goes into the slots.
    pub options: BTreeMap<String, String>,
    /// What each permission profile adds.
    pub permissions: BTreeMap<String, String>,
    /// A first run, by profile.
    pub examples: BTreeMap<String, Vec<String>>,
    /// Variables that are set for it.
    pub set: BTreeMap<String, String>,
    /// Variables that are handed on to it.
    pub pass: Vec<String>,
    /// Variables that are taken away where an account is named.
    pub strip: Vec<String>,
    /// The variable that names an account's home.
    pub account: Option<String>,
    /// The variables by which it is known in a shell that it opens, the last one naming its conversation.
    pub shell: Vec<String>,
    /// What its output looks like.
    pub form: String,
    /// What its tokens and its cost count, where it tells them.
    pub counts: BTreeMap<String, String>,
    /// Texts that are in each line of progress.
    pub progress: Vec<String>,
    /// Texts by which a call of a tool begins.
    pub tool_starts: Vec<String>,
    /// Texts by which one ends.
    pub tool_ends: Vec<String>,
    /// How it finds Converge while it runs: words, files and variables.
    pub register: BTreeMap<String, String>,
    /// How its program says that nobody is logged in.
    pub login: BTreeMap<String, String>,
    /// What is read from which events.
    pub events: Vec<EventShown>,
    /// What means which failure.
    pub failures: Vec<FailureShown>,
    /// What nobody has seen at work.
    pub unverified: Vec<String>,
    /// The text of its manifest, where that was asked for.
    pub toml: Option<String>,
}

/// What is read from events of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventShown {
    /// Which events.
    pub when: String,
    /// What, from where.
    pub take: Vec<String>,
}

/// What means a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureShown {
    /// Its class.
    pub class: String,
    /// What means it.
    pub means: String,
    /// Where that was seen; null when nobody has.
    pub from: Option<String>,
}

impl Command for ShowAgent {
    const NAME: &'static str = "show_agent";
    const ACCESS: Access = Access::Read;
    const CLI: &'static [Cli] = &[Cli::named("agents show")];
    type Reply = AgentShown;

    fn run(self, cx: &Context<'_>) -> Result<AgentShown, Refusal> {
        let catalogue = agent_files::catalogue(&cx.house.places.home);
        if let Some(known) = catalogue.find(&self.agent) {
            let shown = AgentShown::of(AgentRow::of(known, cx).asked(known, cx), &known.manifest);
            return Ok(AgentShown { toml: self.toml.then(|| toml(known)), ..shown });
        }
        Err(unknown(&self.agent, &catalogue))
    }
}

/// What the first line of a manifest begins with that says where the rest is from.
const FROM: &str = "# From ";

/// The text of a manifest, with a line that says where it is from.
fn toml(known: &Known) -> String {
    let from = match &known.origin {
        Origin::BuiltIn => concat!("the manifest that comes along with converge ", env!("CARGO_PKG_VERSION")),
        Origin::Added(file) | Origin::Replaced(file) => file,
    };
    // A copy of a copy is from the copy.
    let rest = match known.text.split_once('\n') {
        Some((first, rest)) if first.starts_with(FROM) => rest,
        Some(_) | None => &known.text,
    };
    format!("{FROM}{from}\n{rest}")
}

/// Says that there is no such agent, and why.
pub fn unknown(agent: &str, catalogue: &Catalogue) -> Refusal {
    let refusal = Refusal::new(Code::NotFound, format!("no agent `{agent}`"));
    let file = format!("/{agent}.toml");
    if let Some(refused) = catalogue.refused.iter().find(|refused| refused.path.ends_with(&file)) {
        let RefusedFile { file, mistakes } = RefusedFile::of(refused);
        return refusal.hint(format!("{file} was refused: {}", mistakes.join(", and ")));
    }
    let names = catalogue.agents.iter().map(|known| known.manifest.name.as_str());
    match nearest(agent, names) {
        Some(near) => refusal.hint(format!("did you mean `{near}`?")),
        None => refusal.hint("`converge agents` lists them"),
    }
}

impl AgentShown {
    fn of(row: AgentRow, manifest: &Manifest) -> Self {
        let options = &manifest.options;
        let options = [
            ("model", &options.model),
            ("effort", &options.effort),
            ("directory", &options.directory),
            ("tool", &options.tool),
            ("auth_profile", &options.auth_profile),
            ("resume", &options.resume),
            ("fork", &options.fork),
            ("schema", &options.schema),
            ("open", &options.open),
        ];
        let said = options
            .into_iter()
            .filter_map(|(name, phrase)| Some((name.to_owned(), phrase.as_ref()?.to_string())));
        let permissions = manifest.permissions.iter().map(|(profile, words)| {
            let words = if words.is_empty() { "adds nothing".to_owned() } else { words.join(" ") };
            (profile.clone(), words)
        });
        let output = &manifest.output;
        let takes =
            |take: Take| output.events.iter().flat_map(|rule| &rule.take).any(|(taken, _)| *taken == take);
        let counts = [("tokens", Take::Input, output.tokens), ("cost", Take::Cost, output.cost)];
        let counts = counts.into_iter().filter(|(_, take, _)| takes(*take));
        let environment = &manifest.environment;
        Self {
            row,
            prompt: match manifest.prompt {
                Prompt::Stdin => "standard input".to_owned(),
                Prompt::File => "a private file".to_owned(),
            },
            arguments: manifest.arguments.iter().map(ToString::to_string).collect(),
            options: said.collect(),
            permissions: permissions.collect(),
            examples: examples(manifest),
            set: environment.set.clone(),
            pass: environment.pass.clone(),
            strip: environment.strip.clone(),
            account: environment.account.clone(),
            shell: environment.shell.iter().chain(&environment.conversation).cloned().collect(),
            form: match output.form {
                Form::Lines => "a JSON document on each line".to_owned(),
                Form::Document => "one JSON document".to_owned(),
                Form::Text => "text".to_owned(),
            },
            counts: counts
                .map(|(what, _, counts)| (what.to_owned(), counts_words(counts).to_owned()))
                .collect(),
            progress: output.progress.clone(),
            tool_starts: output.tool_starts.clone(),
            tool_ends: output.tool_ends.clone(),
            register: manifest.register.as_ref().map(registration).unwrap_or_default(),
            login: manifest.login.as_ref().map(login).unwrap_or_default(),
            events: output.events.iter().map(EventShown::of).collect(),
            failures: output.failures.iter().map(FailureShown::of).collect(),
            unverified: manifest.doubts(),
            toml: None,
        }
    }
}

/// The command line of a first run, with each profile.
fn examples(manifest: &Manifest) -> BTreeMap<String, Vec<String>> {
    let example = |profile: &String| {
        let invocation = Invocation {
            session: Session::Fresh,
            model: None,
            effort: None,
            permissions: profile,
            directories: &[],
            tools: &[],
            account: None,
            prompt_file: "PROMPT-FILE",
            schema: None,
            register: None,
        };
        let call = invocation.call(manifest).ok()?;
        let program = call.programs.into_iter().next()?;
        Some((profile.clone(), std::iter::once(program).chain(call.arguments).collect()))
    };
    manifest.permissions.keys().filter_map(example).collect()
}

/// What is said of an agent that cannot be told of Converge for one run.
fn unregistered() -> String {
    "where its user has registered it; see `converge mcp --print-config`".to_owned()
}

/// How it finds Converge, as its manifest has it.
fn registration(register: &Registration) -> BTreeMap<String, String> {
    let arguments: Vec<&str> = register.arguments.iter().map(Text::source).collect();
    let arguments = (!arguments.is_empty()).then(|| ("arguments".to_owned(), arguments.join(" ")));
    let named = |kind: &'static str| {
        move |(name, text): (&String, &Text)| (format!("{kind} {name}"), text.source().to_owned())
    };
    let files = register.files.iter().map(named("file"));
    let overlay = register.overlay.iter().map(|rule| {
        let (variable, document) = rule.place();
        (format!("{document} in a {variable} of links"), rule.adds.source().to_owned())
    });
    let set = register.set.iter().map(named("variable"));
    arguments.into_iter().chain(files).chain(overlay).chain(set).collect()
}

/// How its program tells of logins, as its manifest has it.
fn login(question: &LoginQuestion) -> BTreeMap<String, String> {
    let said = [
        ("asked by", question.first.ask.join(" ")),
        ("denied by", question.first.denied.clone()),
        ("unless", question.unless.join(" ")),
        ("unless here", question.unless_here.join(" ")),
        ("confirmed by", question.confirm.iter().map(|confirm| confirm.ask.join(" ")).collect()),
        ("log in", question.log_in.join(" ")),
    ];
    said.into_iter()
        .filter(|(_, said)| !said.is_empty())
        .map(|(name, said)| (name.to_owned(), said))
        .collect()
}

fn counts_words(counts: Counts) -> &'static str {
    match counts {
        Counts::Part => "each a part of the run",
        Counts::Run => "the run",
        Counts::Session => "the whole conversation",
    }
}

impl EventShown {
    fn of(rule: &EventRule) -> Self {
        let holds = |(place, value): &(Place, Scalar)| match value {
            Scalar::Text(text) => format!("{place} = {text:?}"),
            Scalar::Number(number) => format!("{place} = {number}"),
            Scalar::Flag(flag) => format!("{place} = {flag}"),
        };
        let mut when: Vec<String> = rule.when.iter().map(holds).collect();
        when.extend(rule.unless.iter().map(|place| format!("no {place}")));
        if let Some(list) = &rule.each {
            let item: Vec<String> = rule.item.iter().map(holds).collect();
            when.push(if item.is_empty() {
                format!("each of {list}")
            } else {
                format!("each of {list} with {}", item.join(", "))
            });
        }
        let word =
            |take: Take| Take::ALL.iter().find(|(_, known)| *known == take).map_or("", |(word, _)| word);
        let mut take: Vec<String> =
            rule.take.iter().map(|(take, place)| format!("{} from {place}", word(*take))).collect();
        if rule.restart {
            take.push("a new result begins".to_owned());
        }
        Self { when: when.join(", "), take }
    }
}

impl FailureShown {
    fn of(failure: &Failure) -> Self {
        let numbers = |name: &str, numbers: &[i64]| {
            let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            (!texts.is_empty()).then(|| format!("{name} {}", texts.join(" or ")))
        };
        let kind = (!failure.kind.is_empty()).then(|| format!("kind {}", failure.kind.join(" or ")));
        let says = failure.says.as_ref().map(|says| format!("says /{says}/"));
        let silent = failure.while_silent.then(|| "ended for its silence".to_owned());
        let means = [silent, numbers("exit", &failure.exit), numbers("status", &failure.status), kind, says];
        Self {
            class: failure.class.to_string(),
            means: means.into_iter().flatten().collect::<Vec<_>>().join(", "),
            from: failure.from.clone(),
        }
    }
}

impl Tell for AgentShown {
    type Told = Object;

    fn tell(self, _: &Context<'_>) -> Object {
        tell::all(&self)
    }
}

impl Render for AgentShown {
    fn render(&self, page: &mut Page) {
        if let Some(toml) = &self.toml {
            toml.lines().for_each(|line| page.line(line));
            return;
        }
        let row = &self.row;
        let (word, tone) = row.state.words();
        page.line(format!(
            "{}  {}  {}",
            page.tone(&row.name, Tone::Strong),
            row.title,
            page.tone(word, tone)
        ));
        let pairs = |pairs: &BTreeMap<String, String>| {
            pairs.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
        };
        let set =
            self.set.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
        page.fields(&[
            ("program", row.program.clone().unwrap_or_else(|| "not found".to_owned())),
            ("version", row.version.clone().unwrap_or_else(|| "not known".to_owned())),
            ("seen", row.seen.clone().unwrap_or_else(|| "never: from documentation alone".to_owned())),
            ("log in by", row.log_in.clone().unwrap_or_default()),
            ("file", row.file.clone().unwrap_or_default()),
            ("prompt", self.prompt.clone()),
            ("arguments", self.arguments.join(" ")),
            ("options", pairs(&self.options)),
            ("permissions", pairs(&self.permissions)),
            ("sets", set),
            ("passes", self.pass.join(" ")),
            ("account", self.account.clone().unwrap_or_default()),
            ("in its shell", self.shell.join(" ")),
            ("strips", self.strip.join(" ")),
            ("output", self.form.clone()),
            ("counts", pairs(&self.counts)),
            ("progress", self.progress.join("\n")),
            ("tools begin", self.tool_starts.join("\n")),
            ("tools end", self.tool_ends.join("\n")),
            ("finds converge", if self.register.is_empty() { unregistered() } else { pairs(&self.register) }),
            ("logins", pairs(&self.login)),
        ]);
        let profile = PROFILES.iter().find_map(|profile| Some((profile, self.examples.get(*profile)?)));
        if let Some((profile, words)) = profile {
            page.gap();
            page.wrapped(&format!("A first run, {profile}: {}", words.join(" ")), "    ");
        }
        if !self.failures.is_empty() {
            page.gap();
            let unverified = || page.tone("unverified", Tone::Busy);
            let row = |failure: &FailureShown| {
                let from = failure.from.clone().unwrap_or_else(unverified);
                vec![failure.class.replace('_', " "), failure.means.clone(), from]
            };
            let rows: Vec<Vec<String>> = self.failures.iter().map(row).collect();
            page.table(&["FAILURE", "MEANT BY", "SEEN IN"], &rows);
        }
        if !self.unverified.is_empty() {
            page.gap();
            page.wrapped(&format!("Unverified: {}", self.unverified.join(", ")), "    ");
        }
    }
}
