//! Transport: a stream of lines as rmcp takes messages and gives them.
//!
//! Whatever is no message is answered here, so that every line gets its answer. What goes out is written by
//! one task, which takes as many lines at once as there are.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ErrorCode, JsonRpcMessage, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use serde::Serialize;
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::client::protocol::{line, too_long};
use crate::surface::mcp::arrival;
use crate::surface::mcp::crowd::{Asking, Place};
use crate::surface::mcp::lines::{Line, Lines};
use crate::surface::mcp::order::Order;

/// How many requests of one client may be under way; the next is read when one of them was answered.
const REQUESTS_MAX: usize = 1024;

/// How many lines may wait to be written.
const LINES_WAITING_MAX: usize = 64;

/// How much is written at once.
const WRITE_BYTES: usize = 64 << 10;

/// How long a client may take to read what it asked for.
const WRITE_MAX: Duration = Duration::from_secs(30);

/// One connection.
pub(super) struct Wire<R> {
    lines: Lines<R>,
    /// What was read before rmcp asked for it.
    first: Option<Vec<u8>>,
    /// Whether a request came: nothing before it means anything.
    begun: bool,
    order: Arc<Order>,
    room: Arc<Semaphore>,
    /// The room for the next request.
    reserved: Option<OwnedSemaphorePermit>,
    /// An answer to a line that is no message.
    unsaid: Option<Json>,
    out: Option<mpsc::Sender<Outgoing>>,
    writer: Option<JoinHandle<()>>,
    /// Its place among the clients.
    place: Place,
    /// The requests whose answers are waited for when the daemon ends.
    asking: HashMap<RequestId, Asking>,
}

/// A line, and the request that it answers.
struct Outgoing {
    text: Vec<u8>,
    asking: Option<Asking>,
}

impl Outgoing {
    fn line(document: &impl Serialize) -> Self {
        Self { text: line(document), asking: None }
    }
}

impl<R: AsyncRead + Unpin + Send> Wire<R> {
    /// The connection whose first line was read already, unless that was said to be none.
    pub(super) fn new(
        lines: Lines<R>,
        first: Option<Vec<u8>>,
        writer: impl AsyncWrite + Unpin + Send + 'static,
        place: Place,
    ) -> Self {
        let (out, waiting) = mpsc::channel(LINES_WAITING_MAX);
        Self {
            lines,
            first,
            begun: false,
            order: Order::new(),
            room: Arc::new(Semaphore::new(REQUESTS_MAX)),
            reserved: None,
            unsaid: None,
            out: Some(out),
            writer: Some(tokio::spawn(write(waiting, writer))),
            place,
            asking: HashMap::new(),
        }
    }

    /// Keeps in mind which requests are to be answered.
    fn note(&mut self, message: &ClientJsonRpcMessage, asking: Asking) {
        match message {
            JsonRpcMessage::Request(request) => drop(self.asking.insert(request.id.clone(), asking)),
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.asking.remove(id);
                }
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
        }
    }

    /// The next message, or none at the end. Whoever stops waiting for it loses nothing.
    async fn message(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            // Who does not read what was asked for is not asked what else there is.
            let place = self.out.as_ref()?.reserve().await.ok()?;
            if let Some(unsaid) = self.unsaid.take() {
                place.send(Outgoing::line(&unsaid));
                continue;
            }
            drop(place);
            if self.reserved.is_none() {
                self.reserved = Arc::clone(&self.room).acquire_owned().await.ok();
            }
            let text = if let Some(first) = self.first.take() {
                Line::Whole(first)
            } else {
                tokio::select! {
                    read = self.lines.next() => read.ok()?,
                    // Nothing can be answered any more.
                    () = self.out.as_ref()?.closed() => return None,
                }
            };
            let text = match text {
                Line::Whole(text) if text.iter().all(u8::is_ascii_whitespace) => continue,
                Line::Whole(text) => text,
                Line::TooLong => {
                    self.unsaid =
                        Some(arrival::refusal(&Json::Null, ErrorCode::INVALID_REQUEST, &too_long()));
                    continue;
                }
                Line::End => return None,
            };
            let asking = self.place.ask();
            match arrival::read(&text, &self.order, Some(asking.clone()), self.reserved.take()?) {
                Ok(message) => {
                    self.note(&message, asking);
                    self.begun |= matches!(message, JsonRpcMessage::Request(_));
                    if self.begun {
                        return Some(message);
                    }
                }
                Err(refusal) => self.unsaid = Some(refusal),
            }
        }
    }
}

impl<R: AsyncRead + Unpin + Send> Transport<RoleServer> for Wire<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        item: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let id = match &item {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        let asking = id.and_then(|id| self.asking.remove(id));
        let (out, outgoing) = (self.out.clone(), Outgoing { text: line(&item), asking });
        async move {
            let out = out.ok_or(io::ErrorKind::NotConnected)?;
            out.send(outgoing).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        self.message().await
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.out = None;
        if let Some(writer) = self.writer.take() {
            writer.await.map_err(io::Error::other)?;
        }
        Ok(())
    }
}

/// Writes what comes until nobody can send any more, or the client does not read.
async fn write(mut waiting: mpsc::Receiver<Outgoing>, mut stream: impl AsyncWrite + Unpin) {
    while let Some(first) = waiting.recv().await {
        let Outgoing { mut text, asking } = first;
        // Until it is written, the daemon waits for it before it ends.
        let mut asking = vec![asking];
        while text.len() < WRITE_BYTES
            && let Ok(more) = waiting.try_recv()
        {
            text.extend_from_slice(&more.text);
            asking.push(more.asking);
        }
        let written = tokio::time::timeout(WRITE_MAX, stream.write_all(&text)).await;
        drop(asking);
        if !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
}
