//! One connection, that asks again as soon as it is answered.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take; longer is an error.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a connection saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How long each right answer took.
    pub(crate) times: Vec<Duration>,
    /// Answers with another status than 200, and no answers.
    pub(crate) errors: usize,
    /// Answers with another digit than was drawn.
    pub(crate) misread: usize,
}

/// A request as its bytes, and the digit it is about.
pub(crate) type Request = (Vec<u8>, usize);

/// A request with a picture.
pub(crate) fn request(png: &[u8], digit: usize) -> Request {
    let head = format!(
        "POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n\
         Content-Length: {}\r\n\r\n",
        png.len()
    );
    ([head.as_bytes(), png].concat(), digit)
}

/// Asks until `end`, beginning with this request; after an error on a new connection.
pub(crate) async fn ask(
    address: SocketAddr,
    requests: &[Request],
    first: usize,
    end: Instant,
) -> Seen {
    let mut seen = Seen::default();
    let mut stream = None;
    let mut buffer = Vec::with_capacity(4096);
    for (request, digit) in requests.iter().cycle().skip(first) {
        let start = Instant::now();
        if start >= end {
            break;
        }
        match timeout(PATIENCE, answer(&mut stream, address, request, &mut buffer)).await {
            Ok(Ok(())) if buffer.starts_with(b"HTTP/1.1 200 ") => {
                seen.times.push(start.elapsed());
                let body = format!("\r\n\r\n{{\"digit\":{digit},");
                let found = buffer.windows(body.len()).any(|part| part == body.as_bytes());
                seen.misread += usize::from(!found);
            }
            _ => {
                seen.errors += 1;
                stream = None;
            }
        }
    }
    seen
}

/// Sends a request and reads the whole response.
async fn answer(
    stream: &mut Option<TcpStream>,
    address: SocketAddr,
    request: &[u8],
    response: &mut Vec<u8>,
) -> io::Result<()> {
    let stream = match stream {
        Some(stream) => stream,
        None => {
            let new = TcpStream::connect(address).await?;
            new.set_nodelay(true)?;
            stream.insert(new)
        }
    };
    stream.write_all(request).await?;
    response.clear();
    while length(response).is_none_or(|length| response.len() < length) {
        if stream.read_buf(response).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Bytes of the response whose beginning this is, if its headers are there.
fn length(response: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length: ";
    let head = response.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
    let value = head_value(&response[..head], NAME)?;
    Some(head + value)
}

fn head_value(head: &[u8], name: &[u8]) -> Option<usize> {
    let start = head.windows(name.len()).position(|part| part == name)? + name.len();
    let digits = head[start..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |value, digit| 10 * value + usize::from(digit - b'0')))
}
