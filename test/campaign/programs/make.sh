cat > Makefile <<'M'
all: $(patsubst %,%.o,a b c d e f g h)
	@cat $^ | sort
%.o: 
	@sleep 0.05; echo $* > $@
clean:
	@rm -f *.o
.PHONY: all clean
sub: ; @$(MAKE) --no-print-directory clean && $(MAKE) --no-print-directory all
x := $(shell echo shelled)
info: ; @echo $(x) $(words 1 2 3)
M
make -j4
make -j3 sub
make info
make -n clean
