;; lvx 0,0,3
;; lvx 1,0,4
;; vadduwm 0,0,1
;; stvx 0,0,3
;; bclr 20,0,0
  (func (;1;) (type 0) (param i32 i32 i32) (result i32 i32)
    (local i32 i32 i64 i64 i64 v128 i64 v128 i64 i32)
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
      (if  ;; label = @2
        (i32.lt_s
          (local.get 0)
          (i32.const 5))
        (then
          (return
            (i32.const 268435456)
            (local.get 0))))
      (br 0 (;@1;)))
    (local.set 0
      (i32.sub
        (local.get 0)
        (i32.const 5)))
    (local.set 6
      (i64.load offset=24 align=1
        (i32.const 0)))
    (local.set 5
      (i64.and
        (local.get 6)
        (i64.const -16)))
    (if  ;; label = @1
      (i64.ne
        (local.tee 7
          (i64.or
            (i64.load16_u offset=2097152 align=1
              (i32.shr_u
                (i32.wrap_i64
                  (local.get 5))
                (i32.const 12)))
            (i64.shr_u
              (local.get 5)
              (i64.const 32))))
        (i64.const 0))
      (then
        (if  ;; label = @2
          (i64.ne
            (i64.or
              (i64.or
                (i64.and
                  (local.get 7)
                  (i64.const 255))
                (i64.shr_u
                  (local.get 5)
                  (i64.const 32)))
              (i64.shr_u
                (i64.add
                  (i64.and
                    (local.get 5)
                    (i64.const 4095))
                  (i64.const 15))
                (i64.const 12)))
            (i64.const 0))
          (then
            (return
              (i32.const 268435456)
              (i32.add
                (local.get 0)
                (i32.const 5)))))))
    (local.set 4
      (i32.sub
        (i32.const -16)
        (i32.wrap_i64
          (local.get 5))))
    (local.set 8
      (v128.load align=1
        (local.get 4)))
    (v128.store offset=1024 align=1
      (i32.const 0)
      (local.get 8))
    (local.set 9
      (i64.load offset=32 align=1
        (i32.const 0)))
    (local.set 5
      (i64.and
        (local.get 9)
        (i64.const -16)))
    (if  ;; label = @1
      (i64.ne
        (local.tee 7
          (i64.or
            (i64.load16_u offset=1048576 align=1
              (i32.shr_u
                (i32.wrap_i64
                  (local.get 5))
                (i32.const 12)))
            (i64.shr_u
              (local.get 5)
              (i64.const 32))))
        (i64.const 0))
      (then
        (if  ;; label = @2
          (i64.ne
            (i64.or
              (i64.or
                (i64.and
                  (local.get 7)
                  (i64.const 255))
                (i64.shr_u
                  (local.get 5)
                  (i64.const 32)))
              (i64.shr_u
                (i64.add
                  (i64.and
                    (local.get 5)
                    (i64.const 4095))
                  (i64.const 15))
                (i64.const 12)))
            (i64.const 0))
          (then
            (return
              (i32.const 268435460)
              (i32.add
                (local.get 0)
                (i32.const 4)))))))
    (local.set 4
      (i32.sub
        (i32.const -16)
        (i32.wrap_i64
          (local.get 5))))
    (local.set 10
      (v128.load align=1
        (local.get 4)))
    (v128.store offset=1040 align=1
      (i32.const 0)
      (local.get 10))
    (local.set 8
      (i32x4.add
        (local.get 8)
        (local.get 10)))
    (v128.store offset=1024 align=1
      (i32.const 0)
      (local.get 8))
    (local.set 5
      (i64.and
        (local.get 6)
        (i64.const -16)))
    (local.set 4
      (i32.sub
        (i32.const -16)
        (i32.wrap_i64
          (local.get 5))))
    (v128.store align=1
      (local.get 4)
      (local.get 8))
    (local.set 11
      (i64.load offset=272 align=1
        (i32.const 0)))
    (if  ;; label = @1
      (i64.ne
        (i64.shr_u
          (local.get 11)
          (i64.const 32))
        (i64.const 0))
      (then
        (return
          (i32.const 268435472)
          (i32.add
            (local.get 0)
            (i32.const 1)))))
    (local.set 12
      (i32.and
        (i32.wrap_i64
          (local.get 11))
        (i32.const -4)))
    (return
      (local.get 12)
      (local.get 0))
    (unreachable)
    (unreachable))
  (export "0" (func 1)))