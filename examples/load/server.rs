//! The server that is measured.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::shared::Result;

/// `web`, which ends when this goes out of scope.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts the one that was built beside this program, on a free port.
    pub(crate) fn start() -> Result<Self> {
        let name = format!("web{}", std::env::consts::EXE_SUFFIX);
        let path = std::env::current_exe()?.with_file_name(name);
        if !path.is_file() {
            let build = "cargo build --release --example web";
            return Err(format!("{} is missing: {build} makes it", path.display()).into());
        }
        let child = Command::new(path)
            .args(["--host", "127.0.0.1", "--port", "0"])
            .stderr(Stdio::piped())
            .spawn()?;
        // From here on it ends with this.
        let mut server = Self { child, address: ([127, 0, 0, 1], 0).into() };
        let mut log = BufReader::new(server.child.stderr.take().ok_or("no log of the server")?);
        let mut line = String::new();
        log.read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on http://");
        server.address = address.ok_or_else(|| format!("the server says {line:?}"))?.parse()?;
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));
        Ok(server)
    }

    /// A line of what Linux knows of its memory, in bytes: `VmRSS` is now, `VmHWM` the
    /// most there was. Elsewhere there is nothing.
    pub(crate) fn memory(&self, name: &str) -> Option<usize> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse().ok().map(|kilobytes: usize| 1024 * kilobytes)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
