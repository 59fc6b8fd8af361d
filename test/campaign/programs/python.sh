python3 -c 'import sys,os,math,json,re,hashlib,zlib,random,decimal,fractions; print(sys.version_info[:2], math.pi, json.dumps({"a":[1,2.5,None]}), hashlib.sha256(b"x").hexdigest(), zlib.crc32(b"hello"), decimal.Decimal(1)/7, 2**200, sys.byteorder, os.path.basename(os.getcwd()) != "")'
python3 -c 'import subprocess; print(subprocess.run(["echo","hi"],capture_output=True)); print(subprocess.check_output("seq 3 | tac",shell=True)); p=subprocess.Popen(["cat"],stdin=subprocess.PIPE,stdout=subprocess.PIPE); print(p.communicate(b"x"*100000)[0][-3:]); 
try: subprocess.run(["sleep","5"],timeout=0.3)
except subprocess.TimeoutExpired as e: print("timeout")'
python3 -c 'import threading,queue,time
q=queue.Queue(); r=[]
def w():
    while True:
        x=q.get()
        if x is None: break
        r.append(x*x); q.task_done()
ts=[threading.Thread(target=w) for _ in range(4)]
[t.start() for t in ts]; [q.put(i) for i in range(100)]; q.join(); [q.put(None) for _ in ts]; [t.join() for t in ts]; print(sum(r), threading.active_count()); e=threading.Event(); print(e.wait(0.05)); s=threading.Semaphore(2); print(s.acquire(timeout=0.1)); b=threading.Barrier(3); [threading.Thread(target=b.wait).start() for _ in range(2)]; b.wait(); print("barrier")'
cat > mp.py <<'P'
import multiprocessing as mp, os
def f(x): return x*x
def g(q, v):
    q.put(os.getpid() != 0)
    with v.get_lock(): v.value += 5
if __name__ == "__main__":
    for m in ("fork", "spawn"):
        c = mp.get_context(m)
        q = c.Queue(); v = c.Value("i", 1)
        p = c.Process(target=g, args=(q, v)); p.start(); print(q.get()); p.join(); print(p.exitcode, v.value)
        a, b = c.Pipe(); a.send([1, 2]); print(b.recv())
    with mp.Pool(3) as p: print(p.map(f, range(10)))
P
python3 mp.py
python3 -c 'import signal,os,time
signal.signal(signal.SIGUSR1, lambda s,f: print("got",s)); os.kill(os.getpid(), signal.SIGUSR1)
signal.setitimer(signal.ITIMER_REAL, 0.05); signal.signal(signal.SIGALRM, lambda *a: print("alrm")); time.sleep(0.2)
print(signal.sigtimedwait([signal.SIGUSR2], 0.01)); pid=os.fork()
if pid==0: os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid,0)[1])); r,w=os.pipe(); os.write(w,b"abc"); print(os.read(r,10)); import select; print(select.select([r],[w],[],0)[1]==[w]); print(os.sysconf("SC_PAGE_SIZE") > 0, os.uname().sysname)
import mmap; m=mmap.mmap(-1,8192); m[0:3]=b"xyz"; print(m[:4]); m.close(); import tempfile; f=tempfile.NamedTemporaryFile(dir="."); f.write(b"x"); f.flush(); print(os.stat(f.name).st_size); import fcntl; fcntl.flock(f, fcntl.LOCK_EX); print("lock")'
python3 -c 'import sqlite3; c=sqlite3.connect("t.db"); c.execute("create table t(a,b)"); c.executemany("insert into t values(?,?)",[(i,str(i)) for i in range(1000)]); c.commit(); print(c.execute("select sum(a),count(*) from t where b like \"%7\"").fetchall(), c.execute("pragma integrity_check").fetchone())'
python3 -c 'import asyncio
async def a(n): await asyncio.sleep(0.01*n); return n
async def m(): print(await asyncio.gather(*[a(i) for i in range(5)])); p=await asyncio.create_subprocess_exec("echo","sub",stdout=asyncio.subprocess.PIPE); print(await p.communicate())
asyncio.run(m())'
python3 -c 'import concurrent.futures as c
with c.ThreadPoolExecutor(4) as e: print(list(e.map(lambda x:x+1, range(5))))
with c.ProcessPoolExecutor(2) as e: print(list(e.map(abs, range(-3,3))))
import ctypes; print(ctypes.CDLL(None).strlen(b"hello")); import struct; print(struct.pack(">dI",1.5,7).hex()); import unicodedata,datetime,bz2,lzma,gzip; print(lzma.decompress(lzma.compress(b"x"*1000))==b"x"*1000, bz2.decompress(bz2.compress(b"y")), datetime.datetime(2020,1,1).isoformat()); import pty; print(pty.openpty()[0]>0)'
