//! What can be read from the events of a CLI, and the words that manifests have for it.

/// What can be read from an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// The conversation.
    Session,
    /// What the agent said in the end; a later event takes the place of an earlier one.
    Result,
    /// A piece of that, to go behind the piece before.
    Delta,
    /// That as a document, where one was asked for; a text is one that is written out.
    Structured,
    /// Tokens the model read.
    Input,
    /// Those of them that were read from a cache.
    CachedInput,
    /// Those that were written to a cache.
    CacheWrites,
    /// Tokens the model wrote.
    Output,
    /// Dollars.
    Cost,
    /// How often the model was asked.
    Turns,
    /// What was not allowed.
    Denial,
    /// What went wrong.
    Error,
    /// The kind of error, in a word.
    Kind,
    /// The status of the service's answer.
    Status,
    /// What went wrong and is being tried again.
    Retry,
    /// When a used-up quota is there again, in seconds of the epoch.
    ResetEpoch,
    /// The model that is asked.
    Model,
    /// How much of the model's window is full, in tokens; what stands at several places adds up.
    Context,
    /// How much the window holds, in tokens; of several, the largest.
    Window,
    /// For those who watch: what the agent says.
    Text,
    /// For those who watch: a piece of that, to go behind the piece before.
    Piece,
    /// For those who watch: the tool that it calls.
    Tool,
    /// For those who watch: what it calls that with.
    ToolInput,
    /// For those who watch: what the tool answered.
    ToolResult,
    /// For those who watch: what says that the tool failed, unless it is null, false, 0 or empty.
    ToolFailed,
    /// For those who watch: what it complains of, and gets on.
    Complaint,
}

impl Take {
    /// Every signal with the word a manifest has for it.
    pub const ALL: [(&'static str, Self); 26] = [
        ("session", Self::Session),
        ("result", Self::Result),
        ("delta", Self::Delta),
        ("structured", Self::Structured),
        ("input", Self::Input),
        ("cached_input", Self::CachedInput),
        ("cache_writes", Self::CacheWrites),
        ("output", Self::Output),
        ("cost", Self::Cost),
        ("turns", Self::Turns),
        ("denial", Self::Denial),
        ("error", Self::Error),
        ("kind", Self::Kind),
        ("status", Self::Status),
        ("retry", Self::Retry),
        ("reset_epoch", Self::ResetEpoch),
        ("model", Self::Model),
        ("context", Self::Context),
        ("window", Self::Window),
        ("text", Self::Text),
        ("piece", Self::Piece),
        ("tool", Self::Tool),
        ("tool_input", Self::ToolInput),
        ("tool_result", Self::ToolResult),
        ("tool_failed", Self::ToolFailed),
        ("complaint", Self::Complaint),
    ];

    /// Whether it is for those who watch, and no signal.
    pub fn is_shown(self) -> bool {
        match self {
            Self::Text
            | Self::Piece
            | Self::Tool
            | Self::ToolInput
            | Self::ToolResult
            | Self::ToolFailed
            | Self::Complaint => true,
            Self::Session
            | Self::Result
            | Self::Delta
            | Self::Structured
            | Self::Input
            | Self::CachedInput
            | Self::CacheWrites
            | Self::Output
            | Self::Cost
            | Self::Turns
            | Self::Denial
            | Self::Error
            | Self::Kind
            | Self::Status
            | Self::Retry
            | Self::ResetEpoch
            | Self::Model
            | Self::Context
            | Self::Window => false,
        }
    }
}
