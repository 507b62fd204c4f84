//! Readable: what an agent wrote, as people and models read it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::agent::catalogue::Catalogue;
use crate::agent::story::{Moment, Story};
use crate::command::{Context, agent_files};
use crate::core::id::TaskId;
use crate::core::plain::plain;
use crate::core::process::ProcessKey;
use crate::core::process::files::SAID;
use crate::core::refusal::Refusal;
use crate::core::task::Task;
use crate::store::{attempts, jobs};

/// So much of the last words is shown.
const SAID_MAX: u64 = 16 << 10;

/// The agents whose output can be read.
#[derive(Debug)]
pub struct Agents(Catalogue);

impl Agents {
    /// Those that a home knows.
    pub fn of(home: &Path) -> Self {
        Self(agent_files::catalogue(home))
    }

    /// Begins to watch the output of one of them; none when it is not known.
    pub fn watch(&self, agent: &str) -> Option<Watch<'_>> {
        self.0.find(agent).map(|known| Watch(Story::new(&known.manifest)))
    }

    /// What stands in a part of an agent's output that begins anywhere; none when the agent is not known.
    pub fn lines(&self, agent: &str, part: &[u8], begins: Begins) -> Option<Vec<String>> {
        let mut watch = self.watch(agent)?;
        let start = match begins {
            Begins::AtTheBeginning => 0,
            Begins::Anywhere => part.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1),
        };
        let mut lines = watch.more(&part[start..]);
        lines.extend(watch.end());
        Some(lines)
    }
}

/// Where a part of a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// Where the stream does.
    AtTheBeginning,
    /// Perhaps in the middle of a line.
    Anywhere,
}

/// The output of an agent as it comes.
pub struct Watch<'a>(Story<'a>);

impl Watch<'_> {
    /// The lines that the next piece of standard output comes to.
    pub fn more(&mut self, bytes: &[u8]) -> Vec<String> {
        lines(&self.0.stdout(bytes))
    }

    /// The last lines, when there is no more.
    pub fn end(self) -> Vec<String> {
        lines(&self.0.end())
    }
}

fn lines(moments: &[Moment]) -> Vec<String> {
    moments
        .iter()
        .flat_map(|moment| moment.to_string().lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// The agent that wrote the output of an attempt; none when it was a command.
pub fn agent_of(cx: &Context<'_>, task: &Task, attempt: u32) -> Result<Option<String>, Refusal> {
    cx.read(|tx| {
        let rows = attempts::of_task(tx, task.id)?;
        let row = rows.into_iter().find(|row| row.number == attempt);
        if let Some(reading) = row.and_then(|row| row.reading) {
            return Ok(Some(reading.agent));
        }
        // Of one that is not over, or was not read, it is known who was to do it.
        let definition = jobs::definition(tx, task.job, task.revision)?;
        let assignment = definition.as_ref().and_then(|definition| definition.target.assignment());
        Ok(assignment.map(|assignment| task.course.candidate(assignment).agent.clone()))
    })
}

/// The last words of an agent, when they were kept.
pub fn last_words(runs: &Path, run: TaskId, attempt: u32) -> io::Result<Option<String>> {
    let path = runs.join(ProcessKey::attempt(run, attempt).directory()).join(SAID);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(SAID_MAX)))?;
    let mut bytes = Vec::new();
    file.take(SAID_MAX).read_to_end(&mut bytes)?;
    let said = plain(String::from_utf8_lossy(&bytes).trim());
    Ok((!said.is_empty()).then_some(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_an_agents_output_is_told_from_its_first_whole_line_on() {
        let agents = Agents::of(Path::new("/nowhere"));
        let part = b"\"half an event\"}\n{\"role\":\"assistant\",\"content\":\"one\\ntwo\"}\n";
        let told = |begins| agents.lines("kimi", part, begins);
        assert_eq!(told(Begins::Anywhere), Some(vec!["one".to_owned(), "two".to_owned()]));
        assert_eq!(told(Begins::AtTheBeginning).map(|lines| lines.len()), Some(3));
        assert_eq!(agents.lines("nobody", part, Begins::Anywhere), None);
    }
}
