//! Just enough HTTP/1.1 for the libraries inside agent CLIs: bodies by length or in chunks, compressed or
//! not, connections that stay open, and answers as one document or as a stream of events.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value as Json;

/// The longest body that is read; a prompt of a megabyte, escaped and repeated, fits.
const BODY_BYTES_MAX: u64 = 64 << 20;

/// One request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path without its query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body; null when there is none, text when it is no JSON.
    pub(crate) body: Json,
}

/// What an answer carries.
#[derive(Debug, PartialEq)]
pub(crate) enum Body {
    Document(Json),
    Events(Vec<Event>),
}

/// One server-sent event.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    /// What its `event:` line says, in dialects that have one.
    pub(crate) name: Option<String>,
    pub(crate) data: String,
}

impl Request {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads the next request; nothing when the client hung up.
pub(crate) fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let Some(first) = line(stream)? else { return Ok(None) };
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, first));
    };
    let mut headers = Vec::new();
    while let Some(header) = line(stream)?.filter(|header| !header.is_empty()) {
        if let Some((name, value)) = header.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let path = target.split('?').next().unwrap_or(target).to_owned();
    let mut request = Request { method: method.to_owned(), path, headers, body: Json::Null };
    if request.header("expect").is_some() {
        stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let bytes = body(&request, stream)?;
    let bytes = match request.header("content-encoding") {
        Some("gzip") => {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain)?;
            plain
        }
        _ => bytes,
    };
    if !bytes.is_empty() {
        request.body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Json::String(String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(Some(request))
}

/// Answers with one document.
pub(crate) fn document(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(String, String)],
    body: &Json,
) -> io::Result<()> {
    let body = body.to_string();
    let length = ("content-length".to_owned(), body.len().to_string());
    let kind = ("content-type".to_owned(), "application/json".to_owned());
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in [&kind, &length].into_iter().chain(headers) {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    stream.flush()
}

/// Answers with a stream of events, each in a chunk of its own.
pub(crate) fn events(stream: &mut TcpStream, events: &[Event]) -> io::Result<()> {
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n\
          transfer-encoding: chunked\r\n\r\n",
    )?;
    for event in events {
        let name = event.name.as_ref().map(|name| format!("event: {name}\n")).unwrap_or_default();
        let text = format!("{name}data: {}\n\n", event.data);
        stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())?;
        stream.flush()?;
    }
    stream.write_all(b"0\r\n\r\n")?;
    stream.flush()
}

/// Answers that there is nothing to say.
pub(crate) fn empty(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    stream.flush()
}

fn body(request: &Request, stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if request.header("transfer-encoding").is_some_and(|how| how.eq_ignore_ascii_case("chunked")) {
        loop {
            let size = line(stream)?.unwrap_or_default();
            let size = u64::from_str_radix(size.split(';').next().unwrap_or("").trim(), 16)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            take(stream, size, &mut bytes)?;
            // The line end after a chunk, or the one that ends the trailers.
            line(stream)?;
            if size == 0 {
                return Ok(bytes);
            }
        }
    }
    let size = request.header("content-length").and_then(|size| size.parse().ok()).unwrap_or(0);
    take(stream, size, &mut bytes)?;
    Ok(bytes)
}

fn take(stream: &mut BufReader<TcpStream>, size: u64, into: &mut Vec<u8>) -> io::Result<()> {
    if size > BODY_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a body of {size} bytes")));
    }
    let got = stream.by_ref().take(size).read_to_end(into)?;
    if u64::try_from(got).is_ok_and(|got| got == size) {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Scripted",
    }
}
