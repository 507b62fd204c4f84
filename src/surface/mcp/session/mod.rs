//! A session: one client of MCP, of either era.

mod completion;
mod identity;
mod prompts;
mod reply;
mod resources;
mod tasks;
mod tools;
mod uri;
mod waiting;
mod watching;

use std::sync::{Arc, OnceLock};

use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams, CompleteResult,
    CustomRequest, CustomResult, ErrorCode, ErrorData, GetPromptRequestParams, GetPromptResponse,
    GetTaskParams, GetTaskResult, Implementation, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, ServerCapabilities, ServerConfig, SubscribeRequestParams, SubscriptionFilter,
    UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{NotificationContext, RequestContext, RoleServer, SubscriptionContext};

use crate::client::protocol::VERSION;
use crate::command::caller::{Audience, Caller};
use crate::core::process::ProcessKey;
use crate::surface::mcp::desk::Desk;
use crate::surface::mcp::session::watching::Subscriptions;
use crate::words;

/// One client.
pub struct Session {
    desk: Arc<Desk>,
    /// Who it is, as far as its connection says.
    caller: Arc<Caller>,
    /// The same when we read for ourselves: everything, as it is.
    ourselves: Arc<Caller>,
    /// The run it works in, found when that first matters.
    inside: OnceLock<Option<ProcessKey>>,
    subscriptions: Subscriptions,
}

impl Session {
    /// A session of `caller`.
    pub fn new(desk: Arc<Desk>, caller: Caller) -> Self {
        let ourselves = Arc::new(Caller { reader: Audience::Person, ..caller.clone() });
        let caller = Arc::new(caller);
        let inside = OnceLock::new();
        Self { desk, caller, ourselves, inside, subscriptions: Subscriptions::default() }
    }

    /// The run it works in: what the system knows, or else what it says itself, as it must where the system
    /// shows nothing of it. Nobody gets a right by that.
    fn inside(&self) -> Option<ProcessKey> {
        let known = || self.caller.pid.and_then(self.desk.run_of).or(self.caller.inside);
        *self.inside.get_or_init(known)
    }

    /// Whether a model reads what it is answered.
    fn is_read_by_model(&self) -> bool {
        self.caller.reader == Audience::Model
    }
}

impl ServerHandler for Session {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_resources_subscribe()
            .enable_tools()
            .enable_tool_list_changed()
            .build();
        capabilities
            .extensions
            .get_or_insert_default()
            .insert(rmcp::model::TASKS_EXTENSION_ID.to_owned(), rmcp::model::JsonObject::new());
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("converge", VERSION).with_title("Converge"))
            .with_instructions(words::instructions())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(tools::list())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        tools::call(self, request, context).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        resources::list(self, request.and_then(|request| request.cursor)).await
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(resources::templates())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        resources::read(self, &request.uri).await.map(Into::into)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(watching::accepted(requested))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        watching::listen(self, context).await
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let named = watching::resolve(self, &request.uri).await?;
        watching::begin(self, context.peer);
        self.subscriptions.add(&request.uri, named)
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.subscriptions.remove(&request.uri);
        Ok(())
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        watching::begin(self, context.peer);
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(prompts::list())
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(&request).map(Into::into)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        completion::complete(self, &request).await
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        tasks::get(self, &request.task_id).await
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::get(self, &request.task_id).await.map(drop)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::cancel(self, &request.task_id, &context).await
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let method = request.method;
        // Only requests of the newer era name a version.
        let is_gone = context.meta.protocol_version().is_some() && OLDER.contains(&method.as_str());
        // A known method comes here when its parameters could not be read.
        Err(if METHODS.contains(&method.as_str()) && !is_gone {
            let message = format!("the parameters of `{method}` are not as MCP has them");
            ErrorData::invalid_params(message, None)
        } else {
            ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("no method `{method}`"), None)
        })
    }
}

/// Methods that the newer era has no more.
const OLDER: [&str; 4] = ["initialize", "ping", "resources/subscribe", "resources/unsubscribe"];

/// The methods there are, which come here when their parameters could not be read.
const METHODS: [&str; 17] = [
    "initialize",
    "server/discover",
    "ping",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "subscriptions/listen",
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
];
