;; bc 12,2,12
;; lwz 5,4(3)
;; add 4,4,5
;; lwzu 9,8(3)
;; bc 16,0,-12
;; bclr 20,0,0
  (func (;1;) (type 0) (param i32 i32 i32) (result i32 i32)
    (local i32 i32 i64 i64 i64 i64 i64 i64 i64 i64 i32 i32 i64 i32 i32 i32 i32)
    (if  ;; label = @1
      (i32.lt_s
        (local.tee 1
          (i32.sub
            (local.get 1)
            (i32.const 528)))
        (i32.const 0))
      (then
        (return
          (local.get 2)
          (local.get 0))))
    (block  ;; label = @1
      (block  ;; label = @2
        (block  ;; label = @3
          (block  ;; label = @4
            (block  ;; label = @5
              (br_if 0 (;@5;)
                (i32.eq
                  (local.get 2)
                  (i32.const 268435456)))
              (br_if 1 (;@4;)
                (i32.eq
                  (local.get 2)
                  (i32.const 268435460)))
              (return
                (local.get 2)
                (local.get 0)))
            (if  ;; label = @5
              (i32.lt_s
                (local.get 0)
                (i32.const 4))
              (then
                (return
                  (i32.const 268435456)
                  (local.get 0))))
            (br 1 (;@3;)))
          (local.set 6
            (i64.load offset=24 align=1
              (i32.const 0)))
          (local.set 9
            (i64.load offset=32 align=1
              (i32.const 0)))
          (local.set 8
            (i64.load offset=40 align=1
              (i32.const 0)))
          (local.set 10
            (i64.load offset=72 align=1
              (i32.const 0)))
          (local.set 11
            (i64.load offset=280 align=1
              (i32.const 0)))
          (br 1 (;@2;)))
        (local.set 0
          (i32.sub
            (local.get 0)
            (i32.const 1)))
        (local.set 4
          (i32.load8_u offset=288
            (i32.const 0)))
        (if  ;; label = @3
          (i32.and
            (local.get 4)
            (i32.const 2))
          (then
            (local.set 0
              (i32.sub
                (local.get 0)
                (i32.const 2)))
            (local.set 6
              (i64.load offset=24 align=1
                (i32.const 0)))
            (local.set 5
              (i64.add
                (local.get 6)
                (i64.const 8)))
            (if  ;; label = @4
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
                (if  ;; label = @5
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
                          (i64.const 3))
                        (i64.const 12)))
                    (i64.const 0))
                  (then
                    (return
                      (i32.const 268435468)
                      (i32.add
                        (local.get 0)
                        (i32.const 2)))))))
            (local.set 10
              (i64.load32_u align=1
                (i32.sub
                  (i32.const -4)
                  (i32.wrap_i64
                    (local.get 5)))))
            (local.set 6
              (local.get 5))
            (local.set 11
              (i64.load offset=280 align=1
                (i32.const 0)))
            (if  ;; label = @4
              (i32.eqz
                (i64.eqz
                  (local.tee 11
                    (i64.add
                      (local.get 11)
                      (i64.const -1)))))
              (then
                (local.set 9
                  (i64.load offset=32 align=1
                    (i32.const 0)))
                (local.set 8
                  (i64.load offset=40 align=1
                    (i32.const 0)))
                (br 2 (;@2;))))
            (br 2 (;@1;))))
        (local.set 6
          (i64.load offset=24 align=1
            (i32.const 0)))
        (local.set 9
          (i64.load offset=32 align=1
            (i32.const 0)))
        (local.set 8
          (i64.load offset=40 align=1
            (i32.const 0)))
        (local.set 10
          (i64.load offset=72 align=1
            (i32.const 0)))
        (local.set 11
          (i64.load offset=280 align=1
            (i32.const 0)))
        (br 0 (;@2;))
        (unreachable))
      (block (result i32 i32)  ;; label = @2
        (loop  ;; label = @3
          (if  ;; label = @4
            (i32.lt_s
              (local.get 0)
              (i32.const 5))
            (then
              (br 2 (;@2;)
                (i32.const 268435460)
                (local.get 0))))
          (local.set 13
            (i32.const 511))
          (local.set 14
            (i32.shr_u
              (i32.wrap_i64
                (local.tee 5
                  (i64.add
                    (local.get 6)
                    (i64.const 4))))
              (i32.const 12)))
          (if  ;; label = @4
            (i64.ne
              (i64.or
                (i64.load16_u offset=1048576 align=1
                  (local.get 14))
                (i64.shr_u
                  (local.get 5)
                  (i64.const 32)))
              (i64.const 0))
            (then
              (local.set 14
                (i32.shr_u
                  (i32.wrap_i64
                    (local.tee 5
                      (i64.add
                        (local.get 6)
                        (i64.const 4))))
                  (i32.const 12)))
              (local.set 16
                (i32.wrap_i64
                  (i64.ctz
                    (i64.load offset=1048576 align=1
                      (local.get 14)))))
              (if  ;; label = @5
                (i32.or
                  (i32.lt_s
                    (local.tee 17
                      (i32.add
                        (i32.sub
                          (i32.shl
                            (i32.shr_u
                              (local.get 16)
                              (i32.const 3))
                            (i32.const 12))
                          (i32.and
                            (i32.wrap_i64
                              (local.get 5))
                            (i32.const 4095)))
                        (i32.const -8)))
                    (i32.const 0))
                  (i64.ne
                    (i64.shr_u
                      (local.get 5)
                      (i64.const 32))
                    (i64.const 0)))
                (then
                  (br 3 (;@2;)
                    (i32.const 268435460)
                    (local.get 0))))
              (local.set 13
                (i32.div_u
                  (local.get 17)
                  (i32.const 8)))))
          (local.set 18
            (select
              (local.tee 18
                (i32.sub
                  (i32.add
                    (local.get 0)
                    (i32.const -4))
                  (i32.mul
                    (local.get 13)
                    (i32.const 4))))
              (i32.const 4)
              (i32.gt_s
                (local.get 18)
                (i32.const 4))))
          (loop  ;; label = @4
            (br_if 1 (;@3;)
              (i32.le_s
                (local.get 0)
                (local.get 18)))
            (local.set 0
              (i32.sub
                (local.get 0)
                (i32.const 2)))
            (local.set 8
              (i64.load32_u offset=4 align=1
                (i32.sub
                  (i32.const -12)
                  (i32.wrap_i64
                    (local.get 6)))))
            (local.set 9
              (i64.add
                (local.get 9)
                (local.get 8)))
            (local.set 0
              (i32.sub
                (local.get 0)
                (i32.const 2)))
            (local.set 5
              (i64.add
                (local.get 6)
                (i64.const 8)))
            (local.set 10
              (i64.load32_u align=1
                (i32.sub
                  (i32.const -4)
                  (i32.wrap_i64
                    (local.get 5)))))
            (local.set 6
              (local.get 5))
            (if  ;; label = @5
              (i32.eqz
                (i64.eqz
                  (local.tee 11
                    (i64.add
                      (local.get 11)
                      (i64.const -1)))))
              (then
                (br 1 (;@4;))))
            (i64.store offset=32 align=1
              (i32.const 0)
              (local.get 9))
            (i64.store offset=40 align=1
              (i32.const 0)
              (local.get 8))
            (br 3 (;@1;)))
          (unreachable))
        (unreachable))
      (i64.store offset=24 align=1
        (i32.const 0)
        (local.get 6))
      (i64.store offset=32 align=1
        (i32.const 0)
        (local.get 9))
      (i64.store offset=40 align=1
        (i32.const 0)
        (local.get 8))
      (i64.store offset=72 align=1
        (i32.const 0)
        (local.get 10))
      (i64.store offset=280 align=1
        (i32.const 0)
        (local.get 11))
      (return)
      (unreachable))
    (block (result i32 i32)  ;; label = @1
      (local.set 0
        (i32.sub
          (local.get 0)
          (i32.const 1)))
      (local.set 12
        (i64.load offset=272 align=1
          (i32.const 0)))
      (if  ;; label = @2
        (i64.ne
          (i64.shr_u
            (local.get 12)
            (i64.const 32))
          (i64.const 0))
        (then
          (br 1 (;@1;)
            (i32.const 268435476)
            (i32.add
              (local.get 0)
              (i32.const 1)))))
      (local.set 19
        (i32.and
          (i32.wrap_i64
            (local.get 12))
          (i32.const -4)))
      (i64.store offset=24 align=1
        (i32.const 0)
        (local.get 6))
      (i64.store offset=72 align=1
        (i32.const 0)
        (local.get 10))
      (i64.store offset=280 align=1
        (i32.const 0)
        (local.get 11))
      (return
        (local.get 19)
        (local.get 0))
      (unreachable))
    (i64.store offset=24 align=1
      (i32.const 0)
      (local.get 6))
    (i64.store offset=72 align=1
      (i32.const 0)
      (local.get 10))
    (i64.store offset=280 align=1
      (i32.const 0)
      (local.get 11))
    (return)
    (unreachable)
    (unreachable))
  (export "0" (func 1)))