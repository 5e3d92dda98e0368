//! Threads for work that would hold up the others if it ran among them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that take jobs in the order in which they came. They end when the pool
/// is dropped and its jobs are done.
///
/// How many jobs may wait is for whoever sends them to bound.
#[derive(Debug)]
pub(crate) struct Pool {
    jobs: Sender<Job>,
}

/// A job panicked; its thread lives on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Panicked;

impl Pool {
    pub(crate) fn start(name: &str, threads: usize) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(name.to_owned()).spawn(move || work(&queue))?;
        }
        Ok(Self { jobs })
    }

    /// Runs the job on one of the threads. It runs to its end also where nobody
    /// waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        let (sender, result) = oneshot::channel();
        let job = move || {
            // An error says that nobody waits for the result.
            let _ = sender.send(job());
        };
        self.jobs.send(Box::new(job)).expect("threads that end after the pool");
        // A job that panics drops the sender.
        result.await.map_err(|_| Panicked)
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(job) = next() {
        // The panic's message is on stderr, and a job shares nothing that it could leave
        // half changed.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}
