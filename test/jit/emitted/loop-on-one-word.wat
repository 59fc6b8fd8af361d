;; lwz 9,8(3)
;; add 4,4,9
;; bc 16,0,-8
;; bclr 20,0,0
  (func (;1;) (type 0) (param i32 i32 i32) (result i32 i32)
    (local i32 i64 i64 i64 i64 i64 i64 i64 i64 i32)
    (if  ;; label = @1
      (i32.lt_s
        (local.tee 1
          (i32.sub
            (local.get 1)
            (i32.const 416)))
        (i32.const 0))
      (then
        (return
          (local.get 2)
          (local.get 0))))
    (block  ;; label = @1
      (block  ;; label = @2
        (br_if 0 (;@2;)
          (i32.eq
            (local.get 2)
            (i32.const 268435456)))
        (return
          (local.get 2)
          (local.get 0)))
      (local.set 5
        (i64.load offset=24 align=1
          (i32.const 0)))
      (local.set 11
        (i64.add
          (local.get 5)
          (i64.const 8)))
      (if  ;; label = @2
        (i64.ne
          (local.tee 6
            (i64.or
              (i64.load16_u offset=1048576 align=1
                (i32.shr_u
                  (i32.wrap_i64
                    (local.get 11))
                  (i32.const 12)))
              (i64.shr_u
                (local.get 11)
                (i64.const 32))))
          (i64.const 0))
        (then
          (if  ;; label = @3
            (i64.ne
              (i64.or
                (i64.or
                  (i64.and
                    (local.get 6)
                    (i64.const 255))
                  (i64.shr_u
                    (local.get 11)
                    (i64.const 32)))
                (i64.shr_u
                  (i64.add
                    (i64.and
                      (local.get 11)
                      (i64.const 4095))
                    (i64.const 3))
                  (i64.const 12)))
              (i64.const 0))
            (then
              (return
                (i32.const 268435456)
                (local.get 0))))))
      (local.set 8
        (i64.load offset=32 align=1
          (i32.const 0)))
      (local.set 7
        (i64.load offset=72 align=1
          (i32.const 0)))
      (local.set 9
        (i64.load offset=280 align=1
          (i32.const 0)))
      (br 0 (;@1;)))
    (block (result i32 i32)  ;; label = @1
      (block  ;; label = @2
        (loop  ;; label = @3
          (if  ;; label = @4
            (i32.lt_s
              (local.get 0)
              (i32.const 4))
            (then
              (br 3 (;@1;)
                (i32.const 268435456)
                (local.get 0))))
          (local.set 0
            (i32.sub
              (local.get 0)
              (i32.const 3)))
          (local.set 7
            (i64.load32_u align=1
              (i32.sub
                (i32.const -12)
                (i32.wrap_i64
                  (local.get 5)))))
          (local.set 8
            (i64.add
              (local.get 8)
              (local.get 7)))
          (if  ;; label = @4
            (i32.eqz
              (i64.eqz
                (local.tee 9
                  (i64.add
                    (local.get 9)
                    (i64.const -1)))))
            (then
              (br 1 (;@3;))))
          (br 1 (;@2;)))
        (unreachable))
      (local.set 0
        (i32.sub
          (local.get 0)
          (i32.const 1)))
      (local.set 10
        (i64.load offset=272 align=1
          (i32.const 0)))
      (if  ;; label = @2
        (i64.ne
          (i64.shr_u
            (local.get 10)
            (i64.const 32))
          (i64.const 0))
        (then
          (br 1 (;@1;)
            (i32.const 268435468)
            (i32.add
              (local.get 0)
              (i32.const 1)))))
      (local.set 12
        (i32.and
          (i32.wrap_i64
            (local.get 10))
          (i32.const -4)))
      (i64.store offset=32 align=1
        (i32.const 0)
        (local.get 8))
      (i64.store offset=72 align=1
        (i32.const 0)
        (local.get 7))
      (i64.store offset=280 align=1
        (i32.const 0)
        (local.get 9))
      (return
        (local.get 12)
        (local.get 0))
      (unreachable)
      (unreachable))
    (i64.store offset=32 align=1
      (i32.const 0)
      (local.get 8))
    (i64.store offset=72 align=1
      (i32.const 0)
      (local.get 7))
    (i64.store offset=280 align=1
      (i32.const 0)
      (local.get 9))
    (return)
    (unreachable)
    (unreachable))
  (export "0" (func 1)))